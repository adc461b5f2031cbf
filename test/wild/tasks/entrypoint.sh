#!/bin/sh
set -e
if [ "$1" = gunicorn ]; then
  echo "collecting static files"
  cp VERSION static/version.txt
  sleep 1
fi
exec node "$1.js"
