"""Stages of a training: settings that change at given epochs."""
