"""What `bouncer init` writes: a folder from which somebody who has the wheel alone can deploy."""
