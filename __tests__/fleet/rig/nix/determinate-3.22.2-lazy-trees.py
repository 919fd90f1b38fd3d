#!/usr/bin/python3 -ESB
"""Stands for Determinate Nix 3.22.2 with `lazy-trees = true`."""

from determinate import main

main(lazy_trees=True)
