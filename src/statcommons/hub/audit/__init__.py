"""The record of what was done in the hub, by whom and when, in which nothing can be changed unseen."""
