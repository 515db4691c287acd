#!/bin/sh
# Sleeps for an hour, in a child: the limit ends both.
sleep 3600
