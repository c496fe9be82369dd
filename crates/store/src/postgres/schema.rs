//! The table that only PostgreSQL has, as diesel sees it; the others are in `database::schema`.

diesel::table! {
    /// Which master writes.
    active_master (id) {
        id -> BigInt,
        epoch -> BigInt,
        holder -> Nullable<Text>,
        public_url -> Nullable<Text>,
        since -> Nullable<Text>,
    }
}
