DROP TABLE point_offers, member_months, point_entries, point_parameters, point_rules;
