//! The tables as diesel sees them, in the form of `diesel print-schema`. The schema itself is in `migrations/`; a test compares
//! the two column by column.

diesel::table! {
    aggr (name) {
        name -> Text,
        no_of_products -> BigInt,
    }
}

diesel::table! {
    catalog_settings (id) {
        id -> BigInt,
        settings -> Text,
    }
}

diesel::table! {
    documents (id) {
        id -> Text,
        path -> Text,
        state -> Text,
        place -> Nullable<Text>,
        bytes -> BigInt,
        hash -> Nullable<Text>,
        row_count -> BigInt,
        rejects -> BigInt,
        error -> Nullable<Text>,
        message -> Nullable<Text>,
        sequence -> Nullable<BigInt>,
        created_at -> Text,
        finished_at -> Nullable<Text>,
        length -> Nullable<BigInt>,
        may_replace -> Bool,
        expires_at -> Nullable<Text>,
        header -> Nullable<Text>,
        sent_by -> Nullable<Text>,
    }
}

diesel::table! {
    edits (sku) {
        sku -> Text,
        name -> Nullable<Text>,
        description -> Nullable<Text>,
        hidden -> Bool,
        stands -> Bool,
        edited_at -> Text,
        own -> Nullable<Text>,
        edited_by -> Nullable<Text>,
    }
}

diesel::table! {
    events (id) {
        id -> BigInt,
        at -> Text,
        kind -> Text,
        data -> Text,
    }
}

diesel::table! {
    /// The exports to S3 or a folder, as they were last written.
    exports (name) {
        name -> Text,
        url -> Text,
        header -> Text,
        event_id -> BigInt,
        bytes -> BigInt,
        written_at -> Text,
    }
}

diesel::table! {
    failed_reports (report, source_id) {
        report -> Text,
        source_id -> BigInt,
        error -> Text,
        failed_at -> Text,
    }
}

diesel::table! {
    files (id) {
        id -> BigInt,
        reader -> Text,
        source_id -> BigInt,
        path -> Text,
        hash -> Nullable<Text>,
        reading -> Nullable<Text>,
        rank_key -> Text,
        size_bytes -> BigInt,
        row_count -> BigInt,
        results -> BigInt,
        unused -> BigInt,
        rejects -> BigInt,
        repaired -> BigInt,
        notes -> Nullable<Text>,
        state -> Text,
        rejected_hash -> Nullable<Text>,
        rejected_reading -> Nullable<Text>,
        rejected_reason -> Nullable<Text>,
        applied_at -> Nullable<Text>,
        format -> Nullable<Text>,
        rejected_header -> Nullable<Text>,
    }
}

diesel::table! {
    held_versions (source_id) {
        source_id -> BigInt,
        digest -> Text,
        removes -> BigInt,
        offers -> BigInt,
        reason -> Text,
        held_since -> Text,
        held_until -> Nullable<Text>,
        accepted -> Bool,
        accepted_by -> Nullable<Text>,
        accepted_at -> Nullable<Text>,
    }
}

diesel::table! {
    history (source, step, at) {
        source -> Text,
        step -> BigInt,
        at -> BigInt,
        products -> Nullable<BigInt>,
        versions -> BigInt,
        added -> BigInt,
        updated -> BigInt,
        removed -> BigInt,
        rejected -> BigInt,
        edits -> BigInt,
        apply_seconds -> Double,
        max_apply_seconds -> Double,
        polls -> BigInt,
        failed_polls -> BigInt,
        poll_seconds -> Double,
        max_poll_seconds -> Double,
        requests -> BigInt,
        request_seconds -> Double,
        max_request_seconds -> Double,
    }
}

diesel::table! {
    messages (no) {
        no -> BigInt,
        id -> Nullable<Text>,
        path -> Text,
        sequence -> Nullable<BigInt>,
        document -> Nullable<Text>,
        state -> Text,
        received_at -> Text,
    }
}

diesel::table! {
    operation_messages (no) {
        no -> BigInt,
        id -> Text,
        received_at -> Text,
    }
}

diesel::table! {
    pages (file_id, first_sku) {
        file_id -> BigInt,
        first_sku -> Text,
        digest -> Binary,
        entries -> Binary,
        lines -> Binary,
    }
}

diesel::table! {
    partials (file_id, part_no) {
        file_id -> BigInt,
        part_no -> BigInt,
        body -> Binary,
    }
}

diesel::table! {
    /// Which objects of buckets any CSV reader reads alike.
    plain_files (source_id, path, way) {
        source_id -> BigInt,
        path -> Text,
        way -> Text,
        hash -> Text,
        answer -> Text,
    }
}

diesel::table! {
    product_changes (id) {
        id -> BigInt,
        sku -> Text,
        at -> BigInt,
        source -> Nullable<Text>,
        file -> Nullable<Text>,
        entrance -> Nullable<Text>,
        author -> Nullable<Text>,
        texts -> Text,
        edit -> Nullable<Text>,
    }
}

diesel::table! {
    products (sku) {
        sku -> Text,
        name -> Text,
        description -> Text,
        file_id -> Nullable<BigInt>,
        edited -> Bool,
        own -> Nullable<Text>,
        first_seen -> Nullable<BigInt>,
        changed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    rejects (id) {
        id -> BigInt,
        file_id -> BigInt,
        whole_file -> Bool,
        line -> BigInt,
        byte_offset -> BigInt,
        reason -> Text,
        raw -> Text,
    }
}

diesel::table! {
    reports (name) {
        name -> Text,
        digest -> Text,
        groups -> BigInt,
        computed_at -> Text,
        standing -> Text,
    }
}

diesel::table! {
    shadowed (sku, file_id) {
        sku -> Text,
        file_id -> BigInt,
        deletes -> Bool,
        name -> Text,
        description -> Text,
        own -> Nullable<Text>,
    }
}

diesel::table! {
    sources (id) {
        id -> BigInt,
        name -> Text,
        url -> Text,
        priority -> BigInt,
        position -> BigInt,
        version -> Nullable<Text>,
        error -> Nullable<Text>,
        last_sensed -> Nullable<Text>,
        last_applied -> Nullable<Text>,
        state -> Text,
    }
}

diesel::table! {
    tally (id) {
        id -> BigInt,
        products -> BigInt,
        names -> BigInt,
    }
}

diesel::table! {
    /// The queues of a broker, as they were last seen.
    queues (name) {
        name -> Text,
        position -> BigInt,
        role -> Text,
        ready -> Nullable<BigInt>,
        consumers -> Nullable<BigInt>,
        unacknowledged -> Nullable<BigInt>,
        set_aside -> BigInt,
        error -> Nullable<Text>,
        changed_at -> Text,
    }
}

diesel::table! {
    /// The last event that each exchange of a broker has.
    published_events (exchange) {
        exchange -> Text,
        event_id -> BigInt,
    }
}

diesel::table! {
    /// diesel's list of the migrations that were applied.
    __diesel_schema_migrations (version) {
        version -> Text,
    }
}

diesel::joinable!(failed_reports -> sources (source_id));
diesel::joinable!(files -> sources (source_id));
diesel::joinable!(held_versions -> sources (source_id));
diesel::joinable!(pages -> files (file_id));
diesel::joinable!(partials -> files (file_id));
diesel::joinable!(plain_files -> sources (source_id));
diesel::joinable!(products -> files (file_id));
diesel::joinable!(rejects -> files (file_id));

diesel::allow_tables_to_appear_in_same_query!(
    aggr,
    edits,
    failed_reports,
    files,
    held_versions,
    pages,
    partials,
    plain_files,
    products,
    rejects,
    reports,
    shadowed,
    sources,
);
