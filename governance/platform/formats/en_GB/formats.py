DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i:s"
# Times are shown in UTC everywhere, and say so.
DATETIME_FORMAT = r"j M Y, H:i:s \U\T\C"
