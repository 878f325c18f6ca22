"""
The life of a feature on real calls: off, shadow, a wrong candidate, canary, on.

    command.py    `fast-litellm demo`: sets everything up, plays the acts, prints, tears everything down
    acts.py       the five acts and what each claims
    mistake.py    the deliberately wrong candidate of the third act
    rules.py      the rule file of each act
    stage.py      plays traffic under changing rules and reads the counters
    client.py     the application: LiteLLM's Router and SDK
    traffic.py    what it sends; texts.py has the words
    server.py     an OpenAI-compatible server in its own process; answers.py has what it says
    logbook.py    keeps the events that were logged
    report.py     the table and the JSON document
"""
