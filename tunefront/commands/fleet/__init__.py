"""The commands of studies that many machines work on."""
