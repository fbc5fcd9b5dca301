DROP TABLE member_months, point_entries, point_parameters, point_rules;
