"""The folder that `bouncer init` writes, from which somebody who has the wheel alone can deploy."""
