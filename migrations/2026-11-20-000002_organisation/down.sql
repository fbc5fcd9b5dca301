DROP TABLE transfers, grants, exemptions, memberships, sign_in_handles, members, accounts, unit_tree, unit_links, units, unit_kinds;
