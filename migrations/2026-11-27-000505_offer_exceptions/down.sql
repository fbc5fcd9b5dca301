DROP TABLE point_offer_exceptions;
