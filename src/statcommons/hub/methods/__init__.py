"""The methods service: the shelf of methods, the queue of jobs, and the worker that runs them."""
