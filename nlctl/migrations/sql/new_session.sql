-- What one file sets must not reach the next. (`discard all` would also let go of the lock.)
reset session authorization;
reset role;
reset all;
discard temp;
deallocate all;
