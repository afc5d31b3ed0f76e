"""What gets deployed: one construct per concern; the stack only wires them and grants."""
