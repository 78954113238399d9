result = yellow
