DROP TABLE notifications, sign_in_failures, known_devices, activation_slips, sessions;
