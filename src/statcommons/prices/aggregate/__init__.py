"""From elementary indices to the index of everything: structure, weights, chain links, contributions, publication."""
