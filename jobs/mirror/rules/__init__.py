"""How a payload changes what we know of a job: the rules, without a database."""
