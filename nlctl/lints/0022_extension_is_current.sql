-- Extensions are at the version that the server offers.
select
  format('extension %I', extension.name) as object,
  format('Version %s is installed, the server offers %s.', installed_version, default_version)
    as detail,
  format('alter extension %I update;', extension.name) as remedy
from pg_available_extensions as extension
join pg_extension_update_paths(extension.name) as way
  on way.source = installed_version and way.target = default_version and way.path is not null
where installed_version <> default_version
