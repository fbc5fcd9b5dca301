DROP TABLE reorganisation_units, reorganisations;
