"""Assignments that are graded by properties: release, check, grade."""
