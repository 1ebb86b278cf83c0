"""The run: its folder, launch, config, checkpoint, results and metrics; everything else asks here.

This file imports nothing, so that a part of it can be used before torch is loaded.
"""
