"""The small AWS client of the intake."""
