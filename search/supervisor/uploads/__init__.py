"""The files of trials on their way to the study's artifacts, before the store is told of the trials' results."""
