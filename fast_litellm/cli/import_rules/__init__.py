"""
`fast-litellm import`: another engine's rules, written as ours.

- `command`: the words of the command line.
- `draft`: what one flag becomes, and the list of what could not be carried over.
- `conditions`: the conditions of a rule file.
- `unleash`, `growthbook`, `flagd`: one engine each.
- `writer`: the YAML.
"""
