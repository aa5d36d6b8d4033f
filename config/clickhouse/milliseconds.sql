-- Nanoseconds as a time; one beyond the year 2100 is the year 2100.
fromUnixTimestamp64Milli(toInt64(least(intDiv(@argument@, 1000000), 4102444800000)), 'UTC')
