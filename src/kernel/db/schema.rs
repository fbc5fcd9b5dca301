//! Diesel's view of the tables of `migrations/`; a test compares it with the database.

diesel::table! {
    accounts (id) {
        id -> Uuid,
        kind -> Text,
        display_name -> Text,
        password_hash -> Nullable<Text>,
        password_set_at -> Nullable<Timestamptz>,
        disabled_at -> Nullable<Timestamptz>,
        created_at -> Timestamptz,
    }
}
diesel::table! {
    activation_slips (id) {
        id -> Uuid,
        account_id -> Uuid,
        code_digest -> Bytea,
        issued_by -> Uuid,
        issued_at -> Timestamptz,
        expires_at -> Timestamptz,
        failures -> Int4,
        redeemed_at -> Nullable<Timestamptz>,
        voided_at -> Nullable<Timestamptz>,
        decision_id -> Nullable<Uuid>,
    }
}
diesel::table! {
    active_readings (member_id) {
        member_id -> Uuid,
        session_id -> Uuid,
    }
}
diesel::table! {
    announcement_audiences (key, announcement_id) {
        key -> Text,
        announcement_id -> Uuid,
    }
}
diesel::table! {
    announcement_reads (account_id, announcement_id) {
        account_id -> Uuid,
        announcement_id -> Uuid,
        read_at -> Timestamptz,
    }
}
diesel::table! {
    announcements (id) {
        id -> Uuid,
        kind -> Text,
        object_id -> Uuid,
        details -> Jsonb,
        created_at -> Timestamptz,
    }
}
diesel::table! {
    app_reads (client_id, account_id, scope, day) {
        client_id -> Uuid,
        account_id -> Uuid,
        scope -> Text,
        day -> Date,
    }
}
diesel::table! {
    attestation_members (attestation_id, member_id) {
        attestation_id -> Uuid,
        member_id -> Uuid,
        points -> Nullable<Int4>,
        entries -> Nullable<Jsonb>,
        refusals -> Nullable<Jsonb>,
    }
}
diesel::table! {
    attestations (id) {
        id -> Uuid,
        unit_id -> Uuid,
        kind -> Text,
        day -> Date,
        subject -> Text,
        note -> Nullable<Text>,
        state -> Text,
        recorded_by -> Uuid,
        recorded_at -> Timestamptz,
        decided_by -> Nullable<Uuid>,
        decided_at -> Nullable<Timestamptz>,
        decision_reason -> Nullable<Text>,
    }
}
diesel::table! {
    audit_events (id) {
        id -> Uuid,
        at -> Timestamptz,
        actor_id -> Nullable<Uuid>,
        action -> Text,
        object_kind -> Text,
        object_id -> Text,
        unit_id -> Nullable<Uuid>,
        member_id -> Nullable<Uuid>,
        request_id -> Nullable<Text>,
        details -> Jsonb,
        client_id -> Nullable<Uuid>,
    }
}
diesel::table! {
    case_events (id) {
        id -> Uuid,
        case_id -> Uuid,
        at -> Timestamptz,
        kind -> Text,
        actor_id -> Nullable<Uuid>,
        details -> Jsonb,
    }
}
diesel::table! {
    case_members (case_id, member_id) {
        case_id -> Uuid,
        member_id -> Uuid,
    }
}
diesel::table! {
    case_scans (kind) {
        kind -> Text,
        day -> Date,
        after_member -> Nullable<Uuid>,
        done -> Bool,
    }
}
diesel::table! {
    cases (id) {
        id -> Uuid,
        kind -> Text,
        subject_id -> Uuid,
        unit_id -> Uuid,
        evidence -> Jsonb,
        opened_at -> Timestamptz,
        state -> Text,
        outcome -> Nullable<Text>,
        reason -> Nullable<Text>,
        decided_by -> Nullable<Uuid>,
        decided_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    changes (xid, subject_id) {
        xid -> Int8,
        subject_id -> Uuid,
        noted_at -> Timestamptz,
    }
}
diesel::table! {
    closing_passes (period) {
        period -> Date,
        day -> Date,
        after_unit -> Nullable<Uuid>,
        done -> Bool,
    }
}
diesel::table! {
    closing_reopenings (closing_id) {
        closing_id -> Uuid,
        reopened_at -> Timestamptz,
        reopened_by -> Uuid,
        reason -> Text,
    }
}
diesel::table! {
    closing_rows (closing_id, position) {
        closing_id -> Uuid,
        position -> Int4,
        member_id -> Uuid,
        points -> Int4,
        content -> Text,
        hash -> Bytea,
    }
}
diesel::table! {
    closing_states (unit_id, period) {
        unit_id -> Uuid,
        period -> Date,
        generation -> Int4,
        closing_id -> Nullable<Uuid>,
        open_until -> Nullable<Date>,
    }
}
diesel::table! {
    closings (id) {
        id -> Uuid,
        unit_id -> Uuid,
        period -> Date,
        generation -> Int4,
        former_id -> Nullable<Uuid>,
        closed_at -> Timestamptz,
        closed_by -> Nullable<Uuid>,
        threshold -> Int4,
        members -> Int4,
        exempt -> Int4,
        excused -> Int4,
        met -> Int4,
        manifest -> Text,
        manifest_hash -> Bytea,
        signature -> Bytea,
        kid -> Text,
    }
}
diesel::table! {
    contest_closing_rows (contest_id, position) {
        contest_id -> Uuid,
        position -> Int4,
        content -> Text,
        hash -> Bytea,
    }
}
diesel::table! {
    contest_closings (contest_id) {
        contest_id -> Uuid,
        frozen_at -> Timestamptz,
        manifest -> Text,
        manifest_hash -> Bytea,
        signature -> Bytea,
        kid -> Text,
    }
}
diesel::table! {
    contest_scores (contest_id, round, member_id) {
        contest_id -> Uuid,
        round -> Int2,
        member_id -> Uuid,
        unit_id -> Uuid,
        day -> Date,
        score -> Int4,
        seconds -> Int4,
        passed -> Bool,
    }
}
diesel::table! {
    contests (id) {
        id -> Uuid,
        unit_id -> Uuid,
        title -> Text,
        opens_at -> Timestamptz,
        closes_at -> Timestamptz,
        created_by -> Uuid,
        created_at -> Timestamptz,
    }
}
diesel::table! {
    decisions (id) {
        id -> Uuid,
        kind -> Text,
        object_id -> Uuid,
        unit_id -> Uuid,
        subject_id -> Nullable<Uuid>,
        at_stake -> Array<Uuid>,
        reason -> Text,
        payload -> Jsonb,
        proposed_by -> Uuid,
        proposed_at -> Timestamptz,
        expires_at -> Timestamptz,
        state -> Text,
        decided_by -> Nullable<Uuid>,
        decided_at -> Nullable<Timestamptz>,
        decision_reason -> Nullable<Text>,
    }
}
diesel::table! {
    document_acknowledgements (document_id, member_id) {
        document_id -> Uuid,
        member_id -> Uuid,
        acknowledged_at -> Timestamptz,
    }
}
diesel::table! {
    document_audiences (document_id, key) {
        document_id -> Uuid,
        key -> Text,
        kind -> Text,
        unit_id -> Nullable<Uuid>,
        member_id -> Nullable<Uuid>,
        name -> Nullable<Text>,
    }
}
diesel::table! {
    document_cover_notes (document_id, unit_id) {
        document_id -> Uuid,
        unit_id -> Uuid,
        must_read_by -> Nullable<Date>,
        text -> Text,
        written_by -> Uuid,
        written_at -> Timestamptz,
        removed -> Bool,
        xid -> Int8,
    }
}
diesel::table! {
    document_feed (key, document_id) {
        key -> Text,
        document_id -> Uuid,
        xid -> Int8,
        changed_at -> Timestamptz,
        removed -> Bool,
    }
}
diesel::table! {
    document_files (id) {
        id -> Uuid,
        document_id -> Uuid,
        name -> Text,
        media_type -> Text,
        bytes -> Int8,
        sha256 -> Bytea,
        added_by -> Uuid,
        added_at -> Timestamptz,
        version -> Int4,
    }
}
diesel::table! {
    document_marks (account_id, document_id) {
        account_id -> Uuid,
        document_id -> Uuid,
        bookmarked_at -> Nullable<Timestamptz>,
        note -> Text,
        note_changed_at -> Nullable<Timestamptz>,
        xid -> Int8,
    }
}
diesel::table! {
    document_openings (document_id, account_id) {
        document_id -> Uuid,
        account_id -> Uuid,
        opened_at -> Timestamptz,
    }
}
diesel::table! {
    document_relations (document_id, kind, other_id) {
        document_id -> Uuid,
        kind -> Text,
        other_id -> Uuid,
    }
}
diesel::table! {
    document_reminders (document_id, member_id, day) {
        document_id -> Uuid,
        member_id -> Uuid,
        day -> Date,
        sent_by -> Uuid,
        sent_at -> Timestamptz,
    }
}
diesel::table! {
    document_search (document_id) {
        document_id -> Uuid,
        published_at -> Timestamptz,
        reach -> Array<Text>,
        symbol -> Text,
        head -> Text,
        words -> Text,
    }
}
diesel::table! {
    document_targets (document_id, unit_id) {
        document_id -> Uuid,
        unit_id -> Uuid,
    }
}
diesel::table! {
    document_terms (unit_id, valid_from) {
        unit_id -> Uuid,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
        name -> Text,
        set_by -> Uuid,
        set_at -> Timestamptz,
    }
}
diesel::table! {
    document_versions (document_id, number) {
        document_id -> Uuid,
        number -> Int4,
        note -> Text,
        body -> Nullable<Text>,
        state -> Text,
        publish_at -> Nullable<Timestamptz>,
        created_by -> Uuid,
        created_at -> Timestamptz,
        published_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    document_words (word) {
        word -> Text,
    }
}
diesel::table! {
    documents (id) {
        id -> Uuid,
        unit_id -> Uuid,
        symbol -> Text,
        kind -> Text,
        title -> Text,
        summary -> Text,
        body -> Text,
        words -> Int4,
        pages -> Nullable<Int4>,
        must_read_by -> Nullable<Date>,
        state -> Text,
        version -> Int4,
        created_by -> Uuid,
        created_at -> Timestamptz,
        attested_no_secrets_by -> Nullable<Uuid>,
        published_at -> Nullable<Timestamptz>,
        recalled_at -> Nullable<Timestamptz>,
        recalled_by -> Nullable<Uuid>,
        recall_reason -> Nullable<Text>,
        issuer -> Nullable<Text>,
        issuer_key -> Nullable<Text>,
        topics -> Array<Text>,
        topic_keys -> Array<Text>,
        superseded_by -> Nullable<Uuid>,
        files_version -> Int4,
    }
}
diesel::table! {
    exemptions (id) {
        id -> Uuid,
        member_id -> Uuid,
        kind -> Text,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
        reason -> Text,
        recorded_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
        decided_alone -> Bool,
    }
}
diesel::table! {
    file_contents (sha256, media_type) {
        sha256 -> Bytea,
        media_type -> Text,
        bytes -> Int8,
        storage_key -> Text,
        stored_at -> Timestamptz,
        text_state -> Text,
        reason -> Nullable<Text>,
        body -> Text,
        words -> Int4,
        pages -> Nullable<Int4>,
        marked -> Bool,
        taken_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    grants (id) {
        id -> Uuid,
        account_id -> Uuid,
        role -> Text,
        unit_id -> Nullable<Uuid>,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
        granted_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
        revoked_at -> Nullable<Timestamptz>,
        revoked_by -> Nullable<Uuid>,
        needs_decision -> Bool,
    }
}
diesel::table! {
    idempotency_keys (principal_id, operation, key) {
        principal_id -> Uuid,
        operation -> Text,
        key -> Text,
        body_hash -> Bytea,
        status -> Int2,
        response -> Json,
        created_at -> Timestamptz,
    }
}
diesel::table! {
    known_devices (account_id, digest) {
        account_id -> Uuid,
        digest -> Bytea,
        last_seen_at -> Timestamptz,
    }
}
diesel::table! {
    kept_boards (unit_id, first, months) {
        unit_id -> Uuid,
        first -> Date,
        months -> Int2,
        wanted_at -> Timestamptz,
        made_at -> Nullable<Timestamptz>,
        counted -> Int4,
        scores -> Array<Int4>,
        holders -> Array<Int4>,
        reached -> Array<Int4>,
    }
}
diesel::table! {
    kept_places (unit_id, first, months, place) {
        unit_id -> Uuid,
        first -> Date,
        months -> Int2,
        place -> Int4,
        rank -> Int8,
        member_id -> Uuid,
        cell_id -> Uuid,
        points -> Int4,
        met -> Bool,
    }
}
diesel::table! {
    leases (name) {
        name -> Text,
        holder -> Uuid,
        fence -> Int8,
        expires_at -> Timestamptz,
    }
}
diesel::table! {
    looked_up_numbers (account_id, day, digest) {
        account_id -> Uuid,
        day -> Date,
        digest -> Bytea,
    }
}
diesel::table! {
    member_months (member_id, period) {
        member_id -> Uuid,
        period -> Date,
        points -> Int4,
        counters -> Json,
        closed_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    members (id) {
        id -> Uuid,
        no -> Int8,
        full_name -> Text,
        given_name -> Text,
        birth_date -> Date,
        sex -> Text,
        admitted_on -> Date,
        official_on -> Nullable<Date>,
        citizen_id_sealed -> Bytea,
        card_number_sealed -> Nullable<Bytea>,
        phone_sealed -> Nullable<Bytea>,
        without_device -> Bool,
        named_on_leaderboards -> Bool,
        version -> Int4,
        created_at -> Timestamptz,
        hidden_on_leaderboards -> Bool,
    }
}
diesel::table! {
    memberships (id) {
        id -> Uuid,
        member_id -> Uuid,
        unit_id -> Uuid,
        origin -> Text,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
        ended_because -> Nullable<Text>,
    }
}
diesel::table! {
    notification_preferences (account_id) {
        account_id -> Uuid,
        muted_kinds -> Array<Text>,
        quiet_hours -> Bool,
        changed_at -> Timestamptz,
    }
}
diesel::table! {
    notifications (id) {
        id -> Uuid,
        account_id -> Uuid,
        kind -> Text,
        details -> Jsonb,
        created_at -> Timestamptz,
        read_at -> Nullable<Timestamptz>,
        xid -> Int8,
    }
}
diesel::table! {
    oauth_clients (id) {
        id -> Uuid,
        unit_id -> Uuid,
        name -> Text,
        kind -> Text,
        redirect_uris -> Array<Text>,
        scopes -> Array<Text>,
        state -> Text,
        secret_digest -> Nullable<Bytea>,
        former_secret_digest -> Nullable<Bytea>,
        former_secret_until -> Nullable<Timestamptz>,
        registered_by -> Uuid,
        created_at -> Timestamptz,
        decided_by -> Nullable<Uuid>,
        decided_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    oauth_codes (digest) {
        digest -> Bytea,
        client_id -> Uuid,
        account_id -> Uuid,
        redirect_uri -> Text,
        challenge -> Text,
        scopes -> Array<Text>,
        created_at -> Timestamptz,
        expires_at -> Timestamptz,
        session_id -> Nullable<Uuid>,
    }
}
diesel::table! {
    outbox (id) {
        id -> Int8,
        topic -> Text,
        payload -> Jsonb,
        created_at -> Timestamptz,
        available_at -> Timestamptz,
        attempts -> Int4,
        done_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    outbox_deliveries (event_id, consumer) {
        event_id -> Int8,
        consumer -> Text,
        attempts -> Int4,
        next_at -> Timestamptz,
        done_at -> Nullable<Timestamptz>,
        failed_at -> Nullable<Timestamptz>,
        problem -> Nullable<Text>,
    }
}
diesel::table! {
    point_adjustments (id) {
        id -> Uuid,
        member_id -> Uuid,
        period -> Date,
        points -> Int4,
        reverses -> Nullable<Uuid>,
        reason -> Text,
        evidence -> Text,
        state -> Text,
        proposed_by -> Uuid,
        proposed_at -> Timestamptz,
        decided_by -> Nullable<Uuid>,
        decided_at -> Nullable<Timestamptz>,
        decision_reason -> Nullable<Text>,
        entry_id -> Nullable<Uuid>,
    }
}
diesel::table! {
    point_appeals (id) {
        id -> Uuid,
        member_id -> Uuid,
        kind -> Text,
        period -> Date,
        entry_id -> Nullable<Uuid>,
        object -> Nullable<Text>,
        statement -> Text,
        state -> Text,
        filed_at -> Timestamptz,
        answered_by -> Nullable<Uuid>,
        answered_at -> Nullable<Timestamptz>,
        answer -> Nullable<Text>,
        adjustment_id -> Nullable<Uuid>,
    }
}
diesel::table! {
    point_changes (id) {
        id -> Int8,
        kind -> Text,
        ids -> Array<Uuid>,
        since -> Date,
        until -> Nullable<Date>,
        bulk -> Bool,
    }
}
diesel::table! {
    point_entries (member_id, rule_code, object_id) {
        member_id -> Uuid,
        id -> Uuid,
        kind -> Text,
        rule_code -> Text,
        rule_version -> Int4,
        object_kind -> Text,
        object_id -> Text,
        points -> Int4,
        period -> Date,
        day -> Date,
        occurred_at -> Timestamptz,
        unit_id -> Uuid,
        attested_by -> Nullable<Uuid>,
        reverses -> Nullable<Uuid>,
        late -> Bool,
        decision_id -> Nullable<Uuid>,
    }
}
diesel::table! {
    point_offer_exceptions (member_id, object_id) {
        member_id -> Uuid,
        object_id -> Text,
    }
}
diesel::table! {
    point_offers (rule_code, object_id, unit_id) {
        rule_code -> Text,
        object_id -> Text,
        unit_id -> Uuid,
        object_kind -> Text,
        title -> Text,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
    }
}
diesel::table! {
    point_parameters (id) {
        id -> Uuid,
        name -> Text,
        unit_id -> Nullable<Uuid>,
        value -> Int4,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
    }
}
diesel::table! {
    point_reminders (member_id, day) {
        member_id -> Uuid,
        day -> Date,
        unit_id -> Uuid,
        sent_by -> Uuid,
        sent_at -> Timestamptz,
    }
}
diesel::table! {
    point_rule_changes (id) {
        id -> Uuid,
        unit_id -> Uuid,
        scope -> Text,
        rule_code -> Text,
        switched_off -> Bool,
        points -> Nullable<Int4>,
        tiers -> Nullable<Jsonb>,
        cap_day -> Nullable<Int4>,
        cap_month -> Nullable<Int4>,
        title_vi -> Nullable<Text>,
        title_en -> Nullable<Text>,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
        state -> Text,
        version -> Int4,
        rule_version -> Nullable<Int4>,
        created_by -> Uuid,
        created_at -> Timestamptz,
        published_by -> Nullable<Uuid>,
        published_at -> Nullable<Timestamptz>,
    }
}
diesel::table! {
    point_rules (code, version) {
        code -> Text,
        version -> Int4,
        event -> Text,
        points -> Int4,
        tiers -> Nullable<Jsonb>,
        cap_day -> Nullable<Int4>,
        cap_month -> Nullable<Int4>,
        self_service -> Bool,
        audience -> Text,
        attested_by -> Text,
        title_vi -> Text,
        title_en -> Text,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
    }
}
diesel::table! {
    points_in_force (only_row) {
        only_row -> Bool,
        version -> Int8,
        since -> Int8,
        unit_ids -> Array<Uuid>,
        versions -> Array<Int8>,
    }
}
diesel::table! {
    projected_months (period) {
        period -> Date,
        day -> Date,
    }
}
diesel::table! {
    projections (name) {
        name -> Text,
        as_of -> Timestamptz,
        step -> Int8,
    }
}
diesel::table! {
    push_keys (id) {
        id -> Uuid,
        public_key -> Bytea,
        private_key_sealed -> Bytea,
        created_at -> Timestamptz,
    }
}
diesel::table! {
    push_subscriptions (id) {
        id -> Uuid,
        account_id -> Uuid,
        session_id -> Uuid,
        endpoint_digest -> Bytea,
        sealed -> Bytea,
        created_at -> Timestamptz,
        next_at -> Nullable<Timestamptz>,
        requests -> Int8,
        urgent -> Bool,
        attempts -> Int4,
    }
}
diesel::table! {
    question_banks (id) {
        id -> Uuid,
        unit_id -> Uuid,
        title -> Text,
        document_id -> Nullable<Uuid>,
        created_by -> Uuid,
        created_at -> Timestamptz,
    }
}
diesel::table! {
    question_exposures (account_id, identity) {
        account_id -> Uuid,
        identity -> Bytea,
        at -> Timestamptz,
    }
}
diesel::table! {
    question_versions (question_id, version) {
        question_id -> Uuid,
        version -> Int4,
        kind -> Text,
        text -> Text,
        options -> Jsonb,
        explanation -> Nullable<Text>,
        topic -> Nullable<Text>,
        difficulty -> Nullable<Int2>,
        author_id -> Uuid,
        created_at -> Timestamptz,
    }
}
diesel::table! {
    questions (id) {
        id -> Uuid,
        bank_id -> Uuid,
        identity -> Bytea,
        state -> Text,
        version -> Int4,
        created_at -> Timestamptz,
        no -> Int8,
        review_id -> Nullable<Uuid>,
    }
}
diesel::table! {
    quiz_answers (attempt_id, question_id) {
        attempt_id -> Uuid,
        question_id -> Uuid,
        option_ids -> Array<Uuid>,
        seq -> Nullable<Int8>,
        saved_at -> Timestamptz,
    }
}
diesel::table! {
    quiz_attempts (id) {
        id -> Uuid,
        quiz_id -> Nullable<Uuid>,
        member_id -> Uuid,
        number -> Int4,
        seed -> Bytea,
        items -> Jsonb,
        started_at -> Timestamptz,
        expires_at -> Timestamptz,
        submitted_at -> Nullable<Timestamptz>,
        expired -> Bool,
        practice -> Nullable<Bool>,
        credited -> Bool,
        unit_id -> Nullable<Uuid>,
        score -> Nullable<Int4>,
        max_score -> Int4,
        percent -> Nullable<Int4>,
        passed -> Nullable<Bool>,
        seconds -> Nullable<Int4>,
        points -> Nullable<Int4>,
        receipt -> Nullable<Jsonb>,
        document_id -> Nullable<Uuid>,
        document_version -> Nullable<Int4>,
        voids -> Int4,
        paper_code -> Nullable<Text>,
        paper_waits -> Bool,
        assisted -> Bool,
        xid -> Int8,
    }
}
diesel::table! {
    quiz_extensions (quiz_id, member_id) {
        quiz_id -> Uuid,
        member_id -> Uuid,
        extra_minutes -> Int4,
        reason -> Text,
        given_by -> Uuid,
        given_at -> Timestamptz,
    }
}
diesel::table! {
    quiz_pool (quiz_id, question_id) {
        quiz_id -> Uuid,
        draw -> Int2,
        question_id -> Uuid,
        version -> Int4,
        identity -> Bytea,
    }
}
diesel::table! {
    quiz_reminders (quiz_id, member_id) {
        quiz_id -> Uuid,
        member_id -> Uuid,
        day -> Date,
        sent_by -> Uuid,
    }
}
diesel::table! {
    quiz_targets (quiz_id, target_id) {
        quiz_id -> Uuid,
        target_id -> Uuid,
        unit_id -> Nullable<Uuid>,
        member_id -> Nullable<Uuid>,
        xid -> Int8,
    }
}
diesel::table! {
    quiz_voids (quiz_id, question_id) {
        quiz_id -> Uuid,
        question_id -> Uuid,
        decision_id -> Uuid,
        voided_at -> Timestamptz,
    }
}
diesel::table! {
    quizzes (id) {
        id -> Uuid,
        unit_id -> Uuid,
        title -> Text,
        state -> Text,
        draws -> Jsonb,
        question_count -> Int4,
        minutes -> Int4,
        pass_percent -> Int4,
        attempts -> Int4,
        cooldown_minutes -> Int4,
        practice -> Bool,
        reveal -> Text,
        opens_at -> Timestamptz,
        closes_at -> Timestamptz,
        created_by -> Uuid,
        created_at -> Timestamptz,
        published_by -> Nullable<Uuid>,
        published_at -> Nullable<Timestamptz>,
        ended_at -> Nullable<Timestamptz>,
        contest_id -> Nullable<Uuid>,
        round -> Nullable<Int2>,
        voids -> Int4,
        regrading -> Bool,
    }
}
diesel::table! {
    reading_sessions (id) {
        id -> Uuid,
        member_id -> Uuid,
        document_id -> Uuid,
        document_version -> Int4,
        required_seconds -> Int4,
        credited_ms -> Int8,
        started_at -> Timestamptz,
        last_beat_at -> Timestamptz,
        expires_at -> Timestamptz,
        completed_at -> Nullable<Timestamptz>,
        receipt -> Nullable<Jsonb>,
        assisted_by -> Nullable<Uuid>,
    }
}
diesel::table! {
    reorganisation_units (reorganisation_id, unit_id) {
        reorganisation_id -> Uuid,
        unit_id -> Uuid,
    }
}
diesel::table! {
    reorganisations (id) {
        id -> Uuid,
        kind -> Text,
        details -> Jsonb,
        reason -> Text,
        effective_on -> Date,
        state -> Text,
        ordered_by -> Uuid,
        ordered_at -> Timestamptz,
        applied_on -> Nullable<Date>,
        new_unit_id -> Nullable<Uuid>,
        decided_at -> Nullable<Timestamptz>,
        effect -> Nullable<Jsonb>,
        failure -> Nullable<Text>,
    }
}
diesel::table! {
    report_keys (id) {
        id -> Uuid,
        kid -> Text,
        public_key -> Bytea,
        private_key_sealed -> Bytea,
        created_at -> Timestamptz,
    }
}
diesel::table! {
    sessions (id) {
        id -> Uuid,
        account_id -> Uuid,
        device_id -> Nullable<Uuid>,
        device_name -> Text,
        created_at -> Timestamptz,
        last_used_at -> Timestamptz,
        expires_at -> Timestamptz,
        generation -> Int4,
        rotated_at -> Timestamptz,
        revoked_at -> Nullable<Timestamptz>,
        revoked_because -> Nullable<Text>,
        replayed_generation -> Nullable<Int4>,
        client_id -> Nullable<Uuid>,
        scopes -> Nullable<Array<Text>>,
    }
}
diesel::table! {
    sign_in_failures (bucket) {
        bucket -> Bytea,
        window_started_at -> Timestamptz,
        failures -> Int4,
    }
}
diesel::table! {
    sign_in_handles (account_id, kind) {
        account_id -> Uuid,
        kind -> Text,
        digest -> Bytea,
        since -> Timestamptz,
    }
}
diesel::table! {
    signing_keys (kid) {
        kid -> Text,
        public_key -> Bytea,
        private_key_sealed -> Bytea,
        created_at -> Timestamptz,
        active_from -> Timestamptz,
        expires_at -> Timestamptz,
    }
}
diesel::table! {
    transfers (id) {
        id -> Uuid,
        member_id -> Uuid,
        from_unit_id -> Uuid,
        to_unit_id -> Uuid,
        state -> Text,
        reason -> Text,
        proposed_by -> Uuid,
        proposed_at -> Timestamptz,
        due_on -> Date,
        decided_by -> Nullable<Uuid>,
        decided_at -> Nullable<Timestamptz>,
        decision_note -> Nullable<Text>,
        effective_on -> Nullable<Date>,
    }
}
diesel::table! {
    unit_kinds (code) {
        code -> Text,
        rank -> Int2,
        name_vi -> Text,
        name_en -> Text,
        holds_members -> Bool,
    }
}
diesel::table! {
    unit_links (unit_id, valid_from) {
        unit_id -> Uuid,
        parent_id -> Nullable<Uuid>,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
    }
}
diesel::table! {
    unit_months (period, unit_id) {
        period -> Date,
        unit_id -> Uuid,
        members -> Int4,
        exempt -> Int4,
        excused -> Int4,
        counted -> Int4,
        met -> Int4,
        points_sum -> Int8,
        scores -> Array<Int4>,
        holders -> Array<Int4>,
        taken_at -> Timestamptz,
        fence -> Int8,
        reached -> Array<Int4>,
    }
}
diesel::table! {
    unit_tree (ancestor_id, descendant_id, valid_from) {
        ancestor_id -> Uuid,
        descendant_id -> Uuid,
        depth -> Int2,
        valid_from -> Date,
        valid_to -> Nullable<Date>,
    }
}
diesel::table! {
    units (id) {
        id -> Uuid,
        kind -> Text,
        name -> Text,
        code -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}
diesel::table! {
    webhook_deliveries (id) {
        id -> Uuid,
        endpoint_id -> Uuid,
        event_id -> Uuid,
        attempts -> Int4,
        next_at -> Nullable<Timestamptz>,
        delivered_at -> Nullable<Timestamptz>,
        failed_at -> Nullable<Timestamptz>,
        last_attempt_at -> Nullable<Timestamptz>,
        last_status -> Nullable<Int4>,
        last_error -> Nullable<Text>,
        last_millis -> Nullable<Int4>,
    }
}
diesel::table! {
    webhook_endpoints (id) {
        id -> Uuid,
        unit_id -> Uuid,
        created_by -> Uuid,
        url -> Text,
        description -> Nullable<Text>,
        events -> Array<Text>,
        created_at -> Timestamptz,
        paused_at -> Nullable<Timestamptz>,
        pause_reason -> Nullable<Text>,
        failing_since -> Nullable<Timestamptz>,
        failures -> Int4,
        next_at -> Timestamptz,
        client_id -> Nullable<Uuid>,
    }
}
diesel::table! {
    webhook_events (id) {
        id -> Uuid,
        kind -> Text,
        unit_id -> Uuid,
        data -> Jsonb,
        occurred_at -> Timestamptz,
    }
}
diesel::table! {
    webhook_feed (recipient_id, xid, event_id) {
        recipient_id -> Uuid,
        xid -> Int8,
        event_id -> Uuid,
    }
}
diesel::table! {
    webhook_secrets (id) {
        id -> Uuid,
        endpoint_id -> Uuid,
        sealed -> Bytea,
        created_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
    }
}

// Only the pairs that queries join: each pair costs the compiler several trait implementations.
diesel::allow_tables_to_appear_in_same_query!(accounts, members, sign_in_handles);
diesel::allow_tables_to_appear_in_same_query!(case_members, members);
diesel::allow_tables_to_appear_in_same_query!(document_targets, documents);
diesel::allow_tables_to_appear_in_same_query!(document_files, documents, file_contents);
diesel::allow_tables_to_appear_in_same_query!(document_relations, documents);
diesel::allow_tables_to_appear_in_same_query!(document_cover_notes, units);
diesel::allow_tables_to_appear_in_same_query!(accounts, sessions);
diesel::allow_tables_to_appear_in_same_query!(activation_slips, grants);
diesel::allow_tables_to_appear_in_same_query!(members, memberships);
diesel::allow_tables_to_appear_in_same_query!(memberships, unit_links);
diesel::allow_tables_to_appear_in_same_query!(unit_kinds, units);
diesel::allow_tables_to_appear_in_same_query!(closing_rows, closing_states, closings, member_months);
diesel::allow_tables_to_appear_in_same_query!(point_rule_changes, units);
diesel::allow_tables_to_appear_in_same_query!(quiz_targets, quizzes);
