"""The bot dies after every write and around every effect, starts again, and must end alike with no effect twice."""
