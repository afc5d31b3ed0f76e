"""Changes to a deployment that runs: sending is held or resumed, dead letters are put back."""
