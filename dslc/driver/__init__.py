"""The whole way from text to a trained, exported, tested model: the stages' functions called in order.

`frontend` is the half that checks a program and imports nothing heavy; the others import the later stages.
"""
