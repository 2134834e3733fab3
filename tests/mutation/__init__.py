"""Mutation score of the derivative rules: ``python -m tests.mutation`` breaks each in many ways."""
