#!/bin/sh
# Sleeps for 50 ms and goes on: waiting is allowed within the limits.
sleep 0.05
echo awake
