DROP TABLE closing_passes, closing_states, closing_reopenings, closing_rows, closings, report_keys;
