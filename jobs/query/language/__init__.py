"""The query language of job lists: `status:failed provider:acme created:>2d -"night shift"`."""
