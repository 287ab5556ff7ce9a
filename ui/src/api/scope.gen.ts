// Made by dev/types.mjs from the scope's OpenAPI document: npm run types.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        AgentFrame: {
            /** @description Of telemetry: the agent as the list has it */
            agent?: components["schemas"]["HubAgent"];
            /** @description Of telemetry and state */
            agent_id?: string;
            /** @description Of init */
            agents?: components["schemas"]["HubAgent"][] | null;
            /** @description Of telemetry: all that the agent told */
            data?: components["schemas"]["FleetTelemetry"];
            /**
             * @description Of state
             * @enum {string}
             */
            state?: "silent" | "expired";
            /**
             * @description init: all agents, at the beginning and after frames were missed. telemetry: of one agent. state: it fell silent or expired. ping: nothing else for 30 seconds
             * @enum {string}
             */
            type: "init" | "telemetry" | "state" | "ping";
        };
        ApiStatus: {
            /**
             * Format: int64
             * @description Requests that ended by a mistake of ours
             */
            panics: number;
            /** @description Requests that were turned away, by reason */
            refused: {
                [key: string]: number;
            };
        };
        AuditAlarm: {
            /** Format: int64 */
            count: number;
            /** Format: int64 */
            cursor: number;
            /** Format: date-time */
            first_at: string;
            /** Format: int64 */
            id: number;
            kind: string;
            /** Format: date-time */
            last_at: string;
            messages: string[] | null;
            session_id: string;
            severity: string;
            text: string;
        };
        AuditAlarmPage: {
            alarms: components["schemas"]["AuditAlarm"][] | null;
            /** Format: int64 */
            cursor: number;
            /** Format: int64 */
            dropped: number;
            more: boolean;
        };
        AuditComparison: {
            a: components["schemas"]["AuditFacts"];
            /** Format: int64 */
            a_coinbase_value_sat: number;
            /** Format: double */
            accept_rate_difference: number | null;
            b: components["schemas"]["AuditFacts"];
            /** Format: int64 */
            b_coinbase_value_sat: number;
            /** Format: int64 */
            coinbase_value_difference_sat: number;
            /** Format: double */
            difficulty_ratio: number | null;
            /** Format: double */
            hashrate_ratio: number | null;
            /** Format: int64 */
            height_difference: number;
            race: components["schemas"]["AuditRaceResult"];
            same_tip: boolean;
            /** Format: double */
            submit_latency_p50_diff_ms: number | null;
            tips: components["schemas"]["AuditTipRace"][] | null;
        };
        AuditDifficulty: {
            /** Format: int64 */
            accepted_before: number;
            /** Format: date-time */
            at: string;
            /** Format: double */
            before: number;
            message_id: string;
            /** Format: double */
            seconds_before: number;
            suggested_by_peer: boolean;
            /** Format: double */
            value: number;
        };
        AuditDifficultyTimeline: {
            changes: components["schemas"]["AuditDifficulty"][] | null;
            /** Format: int64 */
            dropped: number;
            session_id: string;
        };
        AuditFacts: {
            /** Format: int64 */
            alarms: number;
            /** Format: date-time */
            began_at: string;
            /** Format: double */
            best_share_difficulty: number;
            best_share_message?: string;
            /** Format: int64 */
            clean_jobs: number;
            close_reason?: string;
            complete: boolean;
            /** Format: double */
            difficulty: number;
            /** Format: int64 */
            difficulty_changes: number;
            /** Format: int64 */
            dropped_records: number;
            /** Format: int64 */
            empty_jobs: number;
            /** Format: date-time */
            ended_at?: string;
            extranonce1?: string;
            /** Format: int64 */
            extranonce2_size: number;
            /** Format: int64 */
            gaps: number;
            hashrate: components["schemas"]["AuditHashrates"];
            /** Format: int64 */
            jobs: number;
            /** Format: date-time */
            last_notify_at?: string;
            /** Format: date-time */
            last_share_at?: string;
            /** Format: int64 */
            lost_bytes: number;
            /** Format: int64 */
            messages: number;
            /** Format: int64 */
            miner_bytes: number;
            network?: string;
            notify_to_submit: components["schemas"]["AuditQuantiles"];
            origin: string;
            /** Format: int64 */
            parse_errors: number;
            payout_address?: string;
            /** Format: double */
            payout_fraction?: number;
            peer: string;
            pool: string;
            /** Format: int64 */
            pool_bytes: number;
            pool_peer: string;
            /** Format: int64 */
            repeat_subscribes: number;
            resume_id: string;
            round_trip: components["schemas"]["AuditQuantiles"];
            session_id: string;
            shares: components["schemas"]["AuditShareCounts"];
            submit_latency: components["schemas"]["AuditQuantiles"];
            /** Format: double */
            subscribe_to_notify_ms?: number;
            /** Format: double */
            suggested_difficulty: number;
            /** Format: int64 */
            tips: number;
            user_agent: string;
            version_mask?: string;
            workers: string[] | null;
        };
        AuditHashrate: {
            /** Format: double */
            hashes_per_second: number | null;
            /** Format: double */
            seconds: number;
            /** Format: int64 */
            shares: number;
            /** Format: double */
            work: number;
        };
        AuditHashrates: {
            "1h": components["schemas"]["AuditHashrate"];
            "5m": components["schemas"]["AuditHashrate"];
            session: components["schemas"]["AuditHashrate"];
        };
        AuditJob: {
            /** Format: double */
            behind_node_tip_ms?: number;
            clean_jobs: boolean;
            /** Format: int64 */
            coinbase_outputs: number;
            /** Format: int64 */
            coinbase_value_sat: number;
            /** Format: double */
            difficulty: number;
            empty: boolean;
            extranonce1: string;
            /** Format: date-time */
            forwarded_at?: string;
            /** Format: int64 */
            height: number;
            job_id: string;
            /** Format: int64 */
            merkle_branches: number;
            message_id: string;
            /** Format: int64 */
            n: number;
            nbits: string;
            /** Format: double */
            network_difficulty: number;
            new_tip: boolean;
            /** Format: int32 */
            ntime: number;
            /** Format: double */
            ntime_skew_s: number;
            pool_tag: string;
            prev_hash: string;
            /** Format: date-time */
            received_at: string;
            shares: components["schemas"]["AuditJobShares"];
            /** Format: date-time */
            stale_at?: string;
            /** Format: date-time */
            superseded_at?: string;
            version: string;
        };
        AuditJobShares: {
            /** Format: int64 */
            accepted: number;
            /** Format: double */
            best_difficulty: number;
            /** Format: int64 */
            rejected: number;
            /** Format: int64 */
            submitted: number;
        };
        AuditPageJob: {
            /** Format: int64 */
            dropped: number;
            items: components["schemas"]["AuditJob"][] | null;
            /** Format: int64 */
            next: number;
        };
        AuditPageShare: {
            /** Format: int64 */
            dropped: number;
            items: components["schemas"]["AuditShare"][] | null;
            /** Format: int64 */
            next: number;
        };
        AuditQuantiles: {
            /** Format: int64 */
            count: number;
            /** Format: double */
            max_ms: number;
            /** Format: double */
            p50_ms: number;
            /** Format: double */
            p90_ms: number;
            /** Format: double */
            p99_ms: number;
        };
        AuditRaceResult: {
            /** Format: int64 */
            a_first: number;
            /** Format: int64 */
            b_first: number;
            /** Format: int64 */
            blocks: number;
            /** Format: double */
            max_difference_ms: number;
            /** Format: double */
            mean_difference_ms: number;
        };
        AuditReasonCount: {
            /** Format: int64 */
            count: number;
            reason: string;
        };
        AuditShare: {
            audit: string;
            conflict: string;
            /** Format: double */
            difficulty: number;
            hash: string;
            job_id: string;
            /** Format: double */
            latency_ms: number | null;
            message_id: string;
            /** Format: int64 */
            n: number;
            pool: string;
            reason: string;
            /** Format: date-time */
            received_at: string;
            replayed: boolean;
            /** Format: double */
            stale_ms: number;
            /** Format: double */
            target_difficulty: number;
            worker: string;
        };
        AuditShareCounts: {
            /** Format: double */
            accept_rate: number | null;
            /** Format: int64 */
            accepted: number;
            audit: components["schemas"]["AuditVerdictCounts"];
            /** Format: int64 */
            conflicts: number;
            reasons: components["schemas"]["AuditReasonCount"][] | null;
            /** Format: int64 */
            rejected: number;
            /** Format: int64 */
            submitted: number;
            /** Format: int64 */
            unanswered: number;
        };
        AuditTipRace: {
            /** Format: date-time */
            a: string;
            a_message_id: string;
            /** Format: date-time */
            b: string;
            b_message_id: string;
            /** Format: double */
            difference_ms: number;
            /** Format: int64 */
            height: number;
            prev_hash: string;
        };
        AuditVerdictCounts: {
            /** Format: int64 */
            block: number;
            /** Format: int64 */
            duplicate: number;
            /** Format: int64 */
            low_difficulty: number;
            /** Format: int64 */
            malformed: number;
            /** Format: int64 */
            stale: number;
            /** Format: int64 */
            unknown: number;
            /** Format: int64 */
            unknown_job: number;
            /** Format: int64 */
            valid: number;
        };
        AutoReplayCountOrder: {
            /** Format: int64 */
            auto_replay_count: number;
        };
        AutoReplayCountState: {
            /** Format: int64 */
            auto_replay_count: number;
            session_id: string;
        };
        AutoReplayState: {
            auto_replay_enabled: boolean;
            /** @description How far it came since it was switched on */
            progress?: components["schemas"]["ReplayProgress"];
            session_id: string;
        };
        BroadcastState: {
            broadcast_enabled: boolean;
            session_id: string;
        };
        CaptureStatus: {
            /**
             * Format: int64
             * @description In memory
             */
            bytes: number;
            /** Format: int64 */
            dropped_bytes: number;
            /**
             * Format: int64
             * @description That found the recorder's queue full
             */
            dropped_chunks: number;
            /**
             * Format: int64
             * @description Messages that made room for others
             */
            evicted: number;
            /**
             * Format: int64
             * @description Events that the recorder failed at
             */
            faults: number;
            /** Format: int64 */
            live_sessions: number;
            /**
             * Format: int64
             * @description In memory
             */
            messages: number;
            /**
             * Format: int64
             * @description In memory
             */
            sessions: number;
        };
        DecodeAuthorize: {
            address: string;
            name: string;
            password: boolean;
            worker: string;
        };
        DecodeBranch: {
            hash: string;
            /** Format: int64 */
            hue: number;
        };
        DecodeCoinbase: {
            bip54: boolean;
            extranonce1: string;
            extranonce2: string;
            /** Format: int64 */
            extranonce2_size: number;
            extranonces_guessed: boolean;
            /** Format: int64 */
            fees_sats: number;
            /** Format: int64 */
            height: number;
            /** Format: int32 */
            lock_time: number;
            marks: components["schemas"]["DecodeMark"][] | null;
            /** Format: int64 */
            output_count: number;
            outputs: components["schemas"]["DecodeOutput"][] | null;
            script_sig: string;
            /** Format: int32 */
            sequence: number;
            /** Format: int64 */
            size: number;
            /** Format: int64 */
            subsidy_sats: number;
            tags: string[] | null;
            text: string;
            total_btc: string;
            /** Format: int64 */
            total_sats: number;
            txid: string;
            /** Format: int32 */
            version: number;
            witness_commitment: string;
        };
        DecodeConfigure: {
            extensions: string[] | null;
            /** Format: int64 */
            min_bit_count: number;
            /** Format: double */
            minimum_difficulty: number;
            version_mask: string;
        };
        DecodeConfigureResult: {
            extensions: components["schemas"]["DecodeExtensionResult"][] | null;
            version_mask: string;
        };
        Decoded: {
            decoded: components["schemas"]["DecodeMessage"];
            message_id: string;
        };
        DecodeDifficulty: {
            target: string;
            /** Format: double */
            value: number;
        };
        DecodeError: {
            /** Format: int64 */
            code: number;
            meaning: string;
            message: string;
            shape: string;
        };
        DecodeExtensionResult: {
            accepted: boolean;
            name: string;
            reason?: string;
        };
        DecodeExtranonce: {
            extranonce1: string;
            /** Format: int64 */
            extranonce2_size: number;
        };
        DecodeHeader: {
            block: boolean;
            coinbase_txid: string;
            /** Format: double */
            difficulty: number;
            enough: boolean | null;
            hash: string;
            header: string;
            merkle_root: string;
            nbits: string;
            nonce: string;
            prev_hash: string;
            /** Format: double */
            target: number;
            time: string;
            version: string;
        };
        DecodeJob: {
            clean_jobs: boolean;
            coinbase: components["schemas"]["DecodeCoinbase"];
            empty_block: boolean;
            job_id: string;
            merkle_branches: components["schemas"]["DecodeBranch"][] | null;
            merkle_root: string;
            nbits: string;
            /** Format: double */
            network_difficulty: number;
            network_target: string;
            ntime: string;
            prev_hash: string;
            /** Format: double */
            set_difficulty: number;
            signals: number[] | null;
            /** Format: double */
            skew_s: number | null;
            time: string;
            version: string;
            version_bits: number[] | null;
        };
        DecodeMark: {
            data: string;
            label: string;
            name: string;
            where: string;
        };
        DecodeMask: {
            /** Format: int64 */
            bits: number;
            mask: string;
        };
        DecodeMessage: {
            accepted?: boolean;
            authorize?: components["schemas"]["DecodeAuthorize"];
            configure?: components["schemas"]["DecodeConfigure"];
            configure_result?: components["schemas"]["DecodeConfigureResult"];
            difficulty?: components["schemas"]["DecodeDifficulty"];
            error?: components["schemas"]["DecodeError"];
            extranonce?: components["schemas"]["DecodeExtranonce"];
            header?: components["schemas"]["DecodeHeader"];
            job?: components["schemas"]["DecodeJob"];
            kind: string;
            problems: components["schemas"]["DecodeProblem"][] | null;
            reconnect?: components["schemas"]["DecodeReconnect"];
            submit?: components["schemas"]["DecodeSubmit"];
            subscribe?: components["schemas"]["DecodeSubscribe"];
            subscribe_result?: components["schemas"]["DecodeSubscribed"];
            summary: string;
            text?: string;
            version_mask?: components["schemas"]["DecodeMask"];
        };
        DecodeOutput: {
            address: string;
            data?: string;
            label?: string;
            /** Format: double */
            percent: number;
            script: string;
            text?: string;
            type: string;
            value_btc: string;
            /** Format: int64 */
            value_sats: number;
        };
        DecodeProblem: {
            field: string;
            problem: string;
        };
        DecodeReconnect: {
            host: string;
            /** Format: int64 */
            port: number;
            /** Format: double */
            wait_s: number;
        };
        DecodeSubmit: {
            extranonce2: string;
            job_id: string;
            nonce: string;
            ntime: string;
            time?: string;
            version_bits?: string;
            worker: string;
        };
        DecodeSubscribe: {
            host: string;
            resume_id: string;
            user_agent: string;
        };
        DecodeSubscribed: {
            extranonce1: string;
            /** Format: int64 */
            extranonce2_size: number;
            subscriptions: components["schemas"]["DecodeSubscription"][] | null;
        };
        DecodeSubscription: {
            id: string;
            method: string;
        };
        Disconnected: {
            message: string;
            session_id: string;
        };
        FeedStatus: {
            /**
             * Format: int64
             * @description Open WebSockets
             */
            clients: number;
            /**
             * Format: int64
             * @description Messages encoded
             */
            encoded: number;
            /** @description WebSockets that ended, by reason */
            ended: {
                [key: string]: number;
            };
            /**
             * Format: int64
             * @description Messages that could not be encoded by a mistake of ours
             */
            faults: number;
            /**
             * Format: int64
             * @description Notices of missed messages
             */
            gap_notices: number;
            /** @description WebSockets that were refused, by reason */
            refused: {
                [key: string]: number;
            };
            /**
             * Format: int64
             * @description Messages queued for clients, summed over clients
             */
            sent: number;
            /**
             * Format: int64
             * @description Messages that clients missed since they read too slowly, summed over clients
             */
            skipped: number;
            /**
             * Format: int64
             * @description Messages that came faster than they could be encoded
             */
            unencoded: number;
        };
        FleetLoad: {
            /**
             * Format: double
             * @description Least difficulty of its shares in mine; 0: that of the pool
             */
            difficulty: number;
            /**
             * Format: double
             * @description Hashes per second that it takes
             */
            hashrate: number;
            /** @description By the scope; else by the agent's own flags */
            ordered: boolean;
            /**
             * Format: double
             * @description Shares per second: aimed at in mine, the most in replay
             */
            rate: number;
        };
        FleetQuantiles: {
            /**
             * Format: int64
             * @description That were measured, 1024 at most
             */
            count: number;
            /** Format: double */
            max: number;
            /** Format: double */
            p50: number;
            /** Format: double */
            p95: number;
            /** Format: double */
            p99: number;
        };
        FleetQueue: {
            /**
             * Format: int64
             * @description That found it full
             */
            dropped_total: number;
            /** Format: int64 */
            limit: number;
            /** Format: int64 */
            waiting: number;
        };
        FleetReport: {
            /**
             * Format: double
             * @description Newest connection: TCP and TLS, milliseconds
             */
            connect_ms: number | null;
            /**
             * Format: int64
             * @description Connections to the pool, signed in
             */
            connects_total: number;
            /**
             * Format: double
             * @description That the pool asks for
             */
            difficulty: number | null;
            /**
             * Format: double
             * @description Newest connection: from connected to authorized, milliseconds
             */
            handshake_ms: number | null;
            /**
             * Format: double
             * @description Seconds between two telemetry events
             */
            interval_s: number;
            /** @description What is asked of the agent, and what it does */
            load: components["schemas"]["FleetLoad"];
            /**
             * @description replay: others' shares as they are. mine: its own valid shares
             * @enum {string}
             */
            mode: "replay" | "mine";
            /**
             * Format: int64
             * @description Submits that wait for their answer
             */
            pending: number;
            /** @description Share events that wait to be submitted */
            queue: components["schemas"]["FleetQueue"];
            /** @description Events that were not taken, by reason */
            refused: {
                [key: string]: number;
            };
            /**
             * @description Where it says that it is; empty when it does not say
             * @example eu-central
             */
            region: string;
            /** @description Rejected submits by the pool's words */
            rejects: {
                [key: string]: number;
            };
            /** Format: int64 */
            relays_connected: number;
            /** Format: date-time */
            started_at: string;
            /** @description From submit to answer, of the newest 1024 */
            submit_ms?: components["schemas"]["FleetQuantiles"];
            /**
             * Format: int64
             * @description Telemetry that left a relay's full queue unsent
             */
            telemetry_dropped_total: number;
            /** @description Newest blocks that jobs were built on, the newest last */
            tips: components["schemas"]["FleetTip"][] | null;
            /**
             * Format: int64
             * @description Submits that the pool did not answer
             */
            unanswered_total: number;
            /** @description Of the agent's program */
            version: string;
        };
        FleetStats: {
            /**
             * Format: double
             * @example 42
             */
            last_submit_latency_ms: number | null;
            /**
             * Format: int64
             * @example 1523
             */
            share_events_received_total: number;
            /**
             * Format: int64
             * @example 1450
             */
            submits_accepted_total: number;
            /**
             * Format: int64
             * @example 1520
             */
            submits_attempted_total: number;
            /**
             * Format: double
             * @description Over the last minute
             */
            submits_per_second_1min: number | null;
            /**
             * Format: double
             * @description Over the last ten seconds
             */
            submits_per_second_10sec: number | null;
            /**
             * Format: int64
             * @example 70
             */
            submits_rejected_total: number;
        };
        FleetTarget: {
            /**
             * @description As configured, in HashScope's agents with the scheme
             * @example pool.example.com
             */
            host: string;
            /**
             * Format: int64
             * @example 3333
             */
            port: number;
        };
        FleetTelemetry: {
            /** @example agent-us-west-1 */
            agent_id: string;
            /**
             * @description connected, reconnecting or error
             * @example connected
             */
            conn_state: string;
            /** @description The newest ten at most */
            errors: string[] | null;
            pool_target: components["schemas"]["FleetTarget"];
            /** @description What only this program's agents tell */
            poolscope?: components["schemas"]["FleetReport"];
            /** @description Name of the run */
            run_id: string;
            /** @example hashscope.v1 */
            schema: string;
            stats: components["schemas"]["FleetStats"];
            /**
             * Format: date-time
             * @description When it was sent, by the agent's clock
             */
            ts: string;
        };
        FleetTip: {
            /**
             * Format: int64
             * @description Of the block to be found; 0 when the coinbase hides it
             */
            height: number;
            /** @description The block that the job builds on */
            prev_hash: string;
            /**
             * Format: date-time
             * @description When its first job came
             */
            seen_at: string;
        };
        Health: {
            /** @example ok */
            status: string;
        };
        History: {
            agent_id: string;
            /** @description The newest first */
            history: components["schemas"]["FleetTelemetry"][] | null;
        };
        HubAgent: {
            /**
             * Format: double
             * @description accepted / (accepted + rejected)
             */
            accept_rate: number | null;
            /** @example agent-us-west-1 */
            agent_id: string;
            /**
             * Format: double
             * @description Our clock less the agent's, with the time that its fastest telemetry took
             */
            clock_offset_ms: number | null;
            /**
             * @description connected, reconnecting or error, as the agent says
             * @example connected
             */
            conn_state: string;
            /**
             * Format: int64
             * @description In its newest telemetry, ten at most
             */
            errors: number;
            /** Format: date-time */
            first_seen: string;
            last_error: string | null;
            /**
             * Format: date-time
             * @description When its newest telemetry was sent, by the agent's clock
             * @example 2024-01-07T12:34:56.789000Z
             */
            last_seen: string;
            pool_target: components["schemas"]["FleetTarget"];
            /** @description Nostr key that signs its telemetry, hexadecimal */
            public_key: string;
            /**
             * Format: date-time
             * @description When its newest telemetry came, by our clock
             */
            received_at: string;
            /** @description What only this program's agents tell */
            report?: components["schemas"]["FleetReport"];
            /** Format: date-time */
            silent_since: string | null;
            /**
             * @description silent: nothing came for three intervals
             * @enum {string}
             */
            state: "live" | "silent";
            stats: components["schemas"]["FleetStats"];
            /** @description How much later than the first agent it sees a new block; left out without another agent to compare with, or with a clock more than two seconds off */
            tip_delay?: components["schemas"]["HubDelay"];
        };
        HubDelay: {
            /**
             * Format: int64
             * @description That are compared
             */
            blocks: number;
            /**
             * Format: int64
             * @description That it saw first
             */
            first: number;
            /** Format: double */
            last_ms: number;
            /** Format: double */
            p50_ms: number;
        };
        HubDetail: {
            agent: components["schemas"]["HubAgent"];
            agent_id: string;
            /** @description Newest telemetry, whole */
            latest: components["schemas"]["FleetTelemetry"];
        };
        HubEventKinds: {
            /** Format: int64 */
            order: number;
            /** Format: int64 */
            share: number;
            /** Format: int64 */
            telemetry: number;
        };
        HubOrder: {
            /** @description Ids of those that it is for; all when left out */
            agents?: string[];
            /**
             * Format: double
             * @description Least difficulty of their shares; 0: that of the pool
             */
            difficulty: number;
            /**
             * Format: double
             * @description Shares per second of each agent; 0: rest
             */
            rate: number;
        };
        HubPoint: {
            /** Format: int64 */
            accepted: number;
            /**
             * Format: date-time
             * @description Beginning of the step
             */
            at: string;
            /**
             * Format: int64
             * @description Submits in the step
             */
            attempted: number;
            /** Format: double */
            connect_ms: number | null;
            /**
             * Format: double
             * @description Part of them that said connected, 0 to 1
             */
            connected: number;
            /** Format: int64 */
            rejected: number;
            /** Format: double */
            submit_p50_ms: number | null;
            /** Format: double */
            submit_p95_ms: number | null;
            /** Format: double */
            submit_p99_ms: number | null;
            /**
             * Format: int64
             * @description Events in the step
             */
            telemetry: number;
        };
        HubPublished: {
            /** @description Shares that were not published, by reason */
            dropped: {
                [key: string]: number;
            };
            /**
             * Format: int64
             * @description Orders, with their repetitions and revocations
             */
            orders: number;
            /**
             * Format: int64
             * @description Share events
             */
            shares: number;
            /**
             * Format: int64
             * @description Shares that wait to be signed
             */
            waiting: number;
        };
        HubReceived: {
            /**
             * Format: int64
             * @description Agents that were silent for too long
             */
            expired: number;
            /**
             * Format: int64
             * @description Older than the agent's newest
             */
            late: number;
            /**
             * Format: int64
             * @description That could not be stored
             */
            lost: number;
            /** @description By reason */
            refused: {
                [key: string]: number;
            };
            /** Format: int64 */
            stored: number;
            /** Format: int64 */
            taken: number;
        };
        HubRelay: {
            /**
             * Format: int64
             * @description Events that it said OK to
             */
            accepted: number;
            /** Format: int64 */
            connects: number;
            /**
             * Format: int64
             * @description Events that left the full queue unsent
             */
            dropped: number;
            last_error: string | null;
            /**
             * Format: int64
             * @description Events that it sent and that were new
             */
            received: number;
            /** @description Its messages, by our reason: forged signatures among them */
            refused: {
                [key: string]: number;
            };
            /** @description Our events, by the first word of its reason */
            rejected: {
                [key: string]: number;
            };
            /** @enum {string} */
            state: "connecting" | "connected" | "waiting";
            url: string;
            /**
             * Format: int64
             * @description Events that it has not said OK to
             */
            waiting: number;
        };
        HubSeries: {
            agent_id: string;
            /** @description The oldest first; steps without telemetry are left out */
            points: components["schemas"]["HubPoint"][] | null;
            /** Format: date-time */
            since: string;
            /**
             * Format: double
             * @description Seconds of one point
             */
            step_s: number;
            /** @description New blocks that another agent saw, too, the oldest first */
            tips: components["schemas"]["HubTipPoint"][] | null;
            /** Format: date-time */
            until: string;
        };
        HubSighting: {
            agent_id: string;
            /**
             * Format: double
             * @description After the first agent
             */
            delay_ms: number;
            region: string;
        };
        HubStatus: {
            /** @description Relays are configured */
            enabled: boolean;
            /** @description Contents are encrypted with the fleet's key */
            encrypted: boolean;
            kinds: components["schemas"]["HubEventKinds"];
            /** @description In force; left out: agents keep to their own flags */
            order?: components["schemas"]["HubOrder"];
            /** @description The scope's Nostr key, as npub: agents take only its events (--author) */
            public_key: string;
            published: components["schemas"]["HubPublished"];
            relays: components["schemas"]["HubRelay"][] | null;
            run_id: string;
            telemetry: components["schemas"]["HubReceived"];
            /** @description Newest blocks that more than one agent saw, the newest first, 32 at most */
            tips: components["schemas"]["HubTip"][] | null;
            totals: components["schemas"]["HubTotals"];
        };
        HubTip: {
            /** Format: date-time */
            first_seen: string;
            /** Format: int64 */
            height: number;
            prev_hash: string;
            /** @description The first first */
            seen: components["schemas"]["HubSighting"][] | null;
        };
        HubTipPoint: {
            /**
             * Format: int64
             * @description That saw it
             */
            agents: number;
            /** Format: date-time */
            at: string;
            /**
             * Format: double
             * @description After the first agent; 0: it was the first
             */
            delay_ms: number;
            /** Format: int64 */
            height: number;
            prev_hash: string;
        };
        HubTotals: {
            /** Format: int64 */
            agents: number;
            /**
             * Format: int64
             * @description Live, and connected as they say
             */
            connected: number;
            /** Format: int64 */
            live: number;
            /** Format: int64 */
            share_events_received_total: number;
            /** Format: int64 */
            silent: number;
            /** Format: int64 */
            submits_accepted_total: number;
            /** Format: int64 */
            submits_attempted_total: number;
            /**
             * Format: double
             * @description Of live agents
             */
            submits_per_second_1min: number;
            /**
             * Format: double
             * @description Of live agents
             */
            submits_per_second_10sec: number;
            /** Format: int64 */
            submits_rejected_total: number;
        };
        JournalGap: {
            /** Format: int64 */
            first_n?: number;
            /** Format: date-time */
            from: string;
            /** Format: int64 */
            last_n?: number;
            /** Format: int64 */
            messages: number;
            reason: string;
            session_id?: string;
            /** Format: date-time */
            to: string;
        };
        Message: {
            /** @description The line as JSON, nothing left out; null when it is no object */
            decoded: {
                [key: string]: unknown;
            } | null;
            /** @enum {string} */
            direction: "miner_to_pool" | "pool_to_miner" | "hashscope_to_pool";
            /**
             * Format: int64
             * @description Bytes before this line that were not captured
             */
            gap_bytes?: number;
            /**
             * @description Session and number in it
             * @example abc-def-123-7
             */
            id: string;
            /** @description Has a method; notifications too */
            is_request: boolean;
            /** @description Has a result or an error */
            is_response: boolean;
            /** @description Integer, string or null */
            jsonrpc_id: unknown;
            /**
             * Format: double
             * @description From the request to its response
             */
            latency_ms: number | null;
            /** @description A password was replaced */
            masked?: boolean;
            method: string | null;
            /** @description Id of the response, or of the request that this answers */
            paired_message_id: string | null;
            /** @description Why it is no Stratum message, short and stable */
            parse_error: string | null;
            /**
             * @description Where the line came from
             * @example 192.168.1.100:12345
             */
            peer: string;
            /** @description The line as received, its ending included; see raw_encoding */
            raw: string;
            /**
             * @description How raw is to be read: as it stands, or as base64 of bytes that are no text
             * @enum {string}
             */
            raw_encoding: "utf-8" | "base64";
            /** @description Of replays: why there is no answer */
            replay_error?: string;
            /** @description Of replays: the message that was sent again */
            replay_of?: string;
            /** @description Of a request that was answered */
            response: {
                [key: string]: unknown;
            } | null;
            /** @description Whether the response is a yes; left out without one */
            response_ok?: boolean;
            response_raw: string | null;
            /** @enum {string} */
            response_raw_encoding?: "utf-8" | "base64";
            /** Format: date-time */
            response_ts_recv: string | null;
            /**
             * Format: int64
             * @description Rises over all sessions in the order of capture; cursor takes it
             */
            seq: number;
            session_id: string;
            /** @description Of a mining.submit: what the audit found out */
            share?: components["schemas"]["Share"];
            /**
             * Format: int64
             * @description Bytes of the whole line, ending included
             */
            size_bytes: number;
            /** @description Raw is only the beginning */
            truncated?: boolean;
            /**
             * Format: date-time
             * @description When it had been written to the other side; null while it was not
             */
            ts_fwd: string | null;
            /**
             * Format: date-time
             * @description When the line had been read
             */
            ts_recv: string;
            /** @description The stream ended before a line feed */
            unterminated?: boolean;
            /** @description Of replays: the private id that went over the wire */
            wire_id?: unknown;
            /** @description Of mining.authorize and mining.submit */
            worker?: string;
        };
        Problem: {
            /** @description The bound that was missed */
            ctx?: {
                [key: string]: unknown;
            };
            /** @description What was given */
            input: unknown;
            /** @description Where it is: query or body, then the member's name */
            loc: unknown[] | null;
            /** @description What is wrong, for people */
            msg: string;
            /**
             * @description Kind of the problem
             * @example less_than_equal
             */
            type: string;
        };
        ProblemsError: {
            /** @description All that is wrong */
            detail: components["schemas"]["Problem"][] | null;
        };
        RepeatCountOrder: {
            /**
             * Format: int64
             * @description 1 to 1000
             */
            repeat_count: number;
        };
        RepeatCountState: {
            /** Format: int64 */
            repeat_count: number;
            session_id: string;
        };
        Replay: {
            /**
             * @description Why there is no answer
             * @example Timeout waiting for pool response
             */
            error: string | null;
            /**
             * Format: double
             * @example 0.318
             */
            latency_ms: number | null;
            /** @description The message that it was recorded as */
            message_id: string | null;
            /** @description id, method, params, result and error, nulls included */
            pool_response: {
                [key: string]: unknown;
            } | null;
            /** @description The pool has answered, be it with a rejection */
            success: boolean;
        };
        ReplayOrder: {
            /** @description A JSON object with an id, to send in place of the captured line */
            modified_message?: string | null;
        };
        ReplayProgress: {
            /** Format: int64 */
            accepted: number;
            /** Format: int64 */
            cancelled: number;
            /** Format: int64 */
            done: number;
            /** Format: int64 */
            dropped: number;
            /** Format: int64 */
            errors: number;
            last_error?: string;
            /** Format: int64 */
            queued: number;
            /** Format: int64 */
            rejected: number;
            running: boolean;
            stop_reason?: string;
            /** Format: int64 */
            total: number;
        };
        ScopeStatus: {
            api: components["schemas"]["ApiStatus"];
            capture: components["schemas"]["CaptureStatus"];
            /** Format: int64 */
            goroutines: number;
            /** @description What the other parts tell: journal, relay, replay, audit, tap */
            parts: {
                [key: string]: unknown;
            };
            /** Format: date-time */
            started_at: string;
            /** @description Left out without a pool */
            tap?: components["schemas"]["TapState"];
            version: string;
            websocket: components["schemas"]["FeedStatus"];
        };
        Session: {
            /**
             * Format: int64
             * @description How often
             */
            auto_replay_count: number;
            /** @description Whether each share is sent again */
            auto_replay_enabled: boolean;
            /**
             * Format: double
             * @description By how much the time between two lines varies, as a part of it
             */
            auto_replay_jitter: number;
            /**
             * Format: double
             * @description At most so many lines a second
             */
            auto_replay_rate: number;
            /** @description In lists that asked for it, and where the audit is kept */
            brief?: components["schemas"]["SessionBrief"];
            /** @description Whether its shares are published for the fleet */
            broadcast_enabled: boolean;
            /**
             * @description Why it ended
             * @example miner_closed
             */
            close_reason: string | null;
            /**
             * Format: double
             * @description Of the latest mining.set_difficulty
             * @example 8192
             */
            difficulty: number | null;
            /** Format: date-time */
            ended_at: string | null;
            /**
             * Format: date-time
             * @description When it connected
             */
            first_seen: string;
            /**
             * Format: int64
             * @description Holes that those bytes left
             */
            gaps: number;
            /**
             * Format: int64
             * @description Messages that were captured and are not in the journal: see /api/scope/gaps
             */
            journal_dropped: number;
            /**
             * Format: int64
             * @description Messages that are in memory
             */
            kept_messages: number;
            /**
             * Format: date-time
             * @description When the newest message came
             */
            last_seen: string;
            /** @description Address that the miner connected to */
            listener?: string;
            /** @description Whether it has not ended */
            live: boolean;
            /**
             * Format: int64
             * @description Bytes that were relayed but not captured
             */
            lost_bytes: number;
            /**
             * Format: int64
             * @description Messages captured ever
             * @example 156
             */
            message_count: number;
            /** @description Session that the miner asked to resume */
            mining_session_id: string | null;
            /**
             * @description How the lines reach the scope
             * @enum {string}
             */
            origin: "proxy" | "tap" | "file";
            /**
             * @description Address of the miner
             * @example 192.168.1.100:12345
             */
            peer: string;
            /** @description Whether the pool is connected now */
            pool_connected: boolean;
            /** @description Pool that was dialled; null for connections of our own pool */
            pool_host: string | null;
            /** @description Resolved address of the pool; left out until it was connected */
            pool_peer?: string;
            /** Format: int64 */
            pool_port: number | null;
            /**
             * Format: int64
             * @description How often each agent submits a share
             */
            repeat_count: number;
            /**
             * @description Never used again
             * @example abc-def-123
             */
            session_id: string;
            stats: components["schemas"]["SessionStats"];
            /**
             * Format: int64
             * @description Requests that were given up waiting for their response
             */
            unpaired: number;
            /**
             * @description What the miner calls its software
             * @example cgminer/4.10
             */
            user_agent: string | null;
            /** @description Names that the miner authorized with */
            workers: string[] | null;
        };
        SessionBrief: {
            /**
             * Format: double
             * @description accepted / (accepted + rejected)
             */
            accept_rate: number | null;
            /**
             * Format: int64
             * @description Shares
             */
            accepted: number;
            /**
             * Format: int64
             * @description Kinds of alarm raised
             */
            alarms: number;
            /**
             * Format: int64
             * @description Shares that pool and audit disagree about
             */
            conflicts: number;
            /**
             * Format: double
             * @description From the work accepted in the last five minutes; of an ended session, in all of it
             */
            hashes_per_second: number | null;
            /**
             * Format: int64
             * @description Shares
             */
            rejected: number;
            /**
             * Format: double
             * @description Median time from a share to its answer
             */
            submit_p50_ms: number | null;
            /**
             * Format: int64
             * @description Shares
             */
            unanswered: number;
        };
        SessionStats: {
            /**
             * Format: int64
             * @description Lines that the scope sent itself
             * @example 0
             */
            hashscope_to_pool: number;
            /**
             * Format: int64
             * @example 78
             */
            miner_to_pool: number;
            /**
             * Format: int64
             * @example 0
             */
            parse_errors: number;
            /**
             * Format: int64
             * @example 78
             */
            pool_to_miner: number;
            /**
             * Format: int64
             * @example 156
             */
            total_messages: number;
        };
        Settings: {
            /**
             * Format: int64
             * @description Port of this API
             * @example 8000
             */
            api_port: number;
            /**
             * Format: int64
             * @description Messages kept in memory
             * @example 50000
             */
            capture_max_messages: number;
            /**
             * Format: int64
             * @description Messages of one session kept in memory
             * @example 10000
             */
            capture_max_per_session: number;
            /** @description Whether messages are kept on disk */
            journal: boolean;
            /** @description Whether passwords of mining.authorize are recorded */
            keep_passwords: boolean;
            /**
             * @description Address that miners connect to
             * @example 0.0.0.0
             */
            listen_host: string;
            /**
             * Format: int64
             * @description Port that miners connect to
             * @example 3333
             */
            listen_port: number;
            /** @description Whether a pool is listed as the user's own, so that load features act on it */
            load_tests: boolean;
            /** @description Whether share events are published */
            nostr_enabled: boolean;
            /**
             * @description First pool, as configured
             * @example stratum+tcp://pool.example.com
             */
            pool_host: string;
            /**
             * Format: int64
             * @description Port of the first pool
             * @example 3333
             */
            pool_port: number;
            /** @description All pools in their order, as configured, without passwords */
            pools: string[] | null;
            /**
             * @description Name of this run
             * @example test-run-123
             */
            run_id: string;
            /** @description Version of the program */
            version: string;
        };
        SettingsChange: {
            /** Format: int64 */
            auto_replay_count?: number;
            /** @description Only with pools that the configuration lists as the user's own */
            auto_replay_enabled?: boolean;
            /** Format: double */
            auto_replay_jitter?: number;
            /** Format: double */
            auto_replay_rate?: number;
            /** @description Whether its shares are published for the fleet */
            broadcast_enabled?: boolean;
            /** Format: int64 */
            repeat_count?: number;
        };
        Share: {
            /** @enum {string} */
            audit: "unknown" | "valid" | "low_difficulty" | "duplicate" | "stale" | "unknown_job" | "malformed" | "block";
            /**
             * @description What pool and audit disagree about
             * @example rejected_though_valid
             */
            conflict: string | null;
            /**
             * Format: double
             * @description True difficulty of the header's hash
             */
            difficulty: number | null;
            hash: string | null;
            job: string;
            /** @enum {string|null} */
            pool: "accepted" | "rejected" | null;
            /** @description The pool's, of a rejection */
            reason: string | null;
            /** Format: double */
            stale_ms: number | null;
            /**
             * Format: double
             * @description What the pool had asked for
             */
            target_difficulty: number | null;
        };
        TapState: {
            /**
             * @description Whose connections to our own pool are captured
             * @example all
             * @enum {string}
             */
            mode: "off" | "all" | "worker";
            /** @description With the mode worker: ADDRESS.NAME, NAME or ADDRESS */
            worker?: string | null;
        };
        TextError: {
            /** @description What is wrong, for people */
            detail: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
