"""Where an erasure spent its time, from a trace in Chrome's format: look_at_trace.py FILE"""
import json
import sys

with open(sys.argv[1], encoding="utf-8") as file:
    spans = json.load(file)
for outer in spans:
    if outer["name"] != "Tenant::erase":
        continue
    end = outer["ts"] + outer["dur"]
    within = [span for span in spans if span is not outer and span["tid"] == outer["tid"]
              and outer["ts"] <= span["ts"] and span["ts"] + span["dur"] <= end]
    within.sort(key=lambda span: span["ts"])
    print(outer["name"] + ":", *(span["name"] for span in within))
