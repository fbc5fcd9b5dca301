DROP TRIGGER not_before_the_unit_update ON exemptions;
DROP TRIGGER not_before_the_unit_insert ON exemptions;
DROP FUNCTION exemptions_not_before_the_unit();
DROP TRIGGER not_before_the_unit_update ON memberships;
DROP TRIGGER not_before_the_unit_insert ON memberships;
DROP FUNCTION memberships_not_before_the_unit();
