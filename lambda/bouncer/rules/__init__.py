"""The rule language: documents, conditions, rejections, and the compiled set of rules."""
