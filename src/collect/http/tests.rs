//! The limits of the client, against servers on loopback.
