//! What outside programs rely on over HTTP: the contract's section 5, route by route.
