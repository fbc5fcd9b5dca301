DROP INDEX closing_states_reopened;
