"""The rule language: fields, documents, conditions, rejections, and the compiled set of rules."""
