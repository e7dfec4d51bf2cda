-- Extensions are at the version that the server offers.
select
  format('extension %I', name) as object,
  format('Version %s is installed, the server has %s.', installed_version, default_version) as detail,
  format('alter extension %I update;', name) as remedy
from pg_available_extensions
where installed_version <> default_version
