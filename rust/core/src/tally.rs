//! The accounting of served and shadowed calls.
