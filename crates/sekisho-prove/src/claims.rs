//! What is claimed: situations, written as Cedar, in which the rules must never allow an act.

/// A situation in which no act is ever allowed.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// Short name.
    pub id: &'static str,
    /// The claim in words.
    pub says: &'static str,
    /// `permit` rules that match exactly the situation; several are alternatives.
    pub situation: &'static str,
}

/// Claims that hold whatever a pack permits.
pub const CLAIMS: &[Claim] = &[
    Claim {
        id: "applicant",
        says: "without the engine's override an applicant never decides the own case",
        situation: r#"
            @id("applicant")
            permit (
              principal,
              action in [Sekisho::Action::"permit", Sekisho::Action::"resolve", Sekisho::Action::"refuse",
                Sekisho::Action::"review", Sekisho::Action::"confirm", Sekisho::Action::"answer",
                Sekisho::Action::"send_back", Sekisho::Action::"revoke", Sekisho::Action::"extend",
                Sekisho::Action::"decline_extension", Sekisho::Action::"close", Sekisho::Action::"post_review",
                Sekisho::Action::"audit"],
              resource
            )
            when { principal == resource.applicant }
            unless { context.path == "override" && context.overridden && context.reason && resource.nobody_else };
        "#,
    },
    Claim {
        id: "override",
        says: "an override is never used where the engine found somebody else, and never without a reason",
        situation: r#"
            @id("override")
            permit (principal, action, resource)
            when { context.path == "override" || context.overridden }
            unless { context.reason && resource.nobody_else };
        "#,
    },
    Claim {
        id: "own_work",
        says: "without the engine's override nobody judges the own work",
        situation: r#"
            @id("own_work")
            permit (principal, action, resource)
            when { resource.performers.contains(principal) }
            unless { context.path == "override" && context.overridden && context.reason && resource.nobody_else };
        "#,
    },
    Claim {
        id: "deputy_of_deputy",
        says: "a deputy of a deputy never acts: authority passes on once, to whoever sits in the deputy's seat",
        situation: r#"
            @id("deputy_of_deputy.depth")
            permit (principal, action, resource)
            when { context.depth > 1 };
            @id("deputy_of_deputy.seat")
            permit (principal, action, resource)
            when { context.path == "deputy" }
            unless { principal in resource.acting };
        "#,
    },
    Claim {
        id: "deputy",
        says: "a deputy acts only while no holder is there, and only in a final decision",
        situation: r#"
            @id("deputy")
            permit (principal, action, resource)
            when { context.path == "deputy" }
            unless { !resource.holder_present && resource.final_decision };
        "#,
    },
    Claim {
        id: "barred_deputy",
        says: "where the pack bars it, a deputy decides only for a reason",
        situation: r#"
            @id("barred_deputy")
            permit (
              principal,
              action in [Sekisho::Action::"permit", Sekisho::Action::"resolve"],
              resource
            )
            when { context.path == "deputy" && resource.daiketsu_barred }
            unless { context.reason };
        "#,
    },
    Claim {
        id: "own_audit",
        says: "an auditor never audits an own section",
        situation: r#"
            @id("own_audit")
            permit (principal, action == Sekisho::Action::"audit", resource)
            when { principal in resource.judged_units };
        "#,
    },
    Claim {
        id: "own_audit_within",
        says: "an auditor of a unit within a section never audits the section",
        // The two units stand for any: no rule names a unit.
        situation: r#"
            @id("own_audit_within")
            permit (principal, action == Sekisho::Action::"audit", resource)
            when {
              principal in Sekisho::Unit::"subsection"
              && Sekisho::Unit::"subsection" in Sekisho::Unit::"section"
              && resource.judged_units.contains(Sekisho::Unit::"section")
            };
        "#,
    },
    Claim {
        id: "lapsed_delegation",
        says: "a delegation gives nothing before its first day and after its last, nor does none",
        situation: r#"
            @id("lapsed_delegation")
            permit (principal, action, resource)
            when { context.path == "delegate" }
            unless {
              context has delegation
              && context.delegation.from <= context.date && context.date <= context.delegation.until
            };
        "#,
    },
    Claim {
        id: "other_delegation",
        says: "a delegation serves nobody else, and for no other seat, a deputy's least of all",
        situation: r#"
            @id("other_delegation")
            permit (principal, action, resource)
            when { context.path == "delegate" }
            unless {
              context has delegation && context.delegation.person == principal
              && (resource.holders.contains(context.delegation.seat)
                || resource.higher.contains(context.delegation.seat))
            };
        "#,
    },
];

/// A claim about the rules of a pack: it would not hold beside a pack that permits everything.
pub const ONLY_SEATS: Claim = Claim {
    id: "only_seats",
    says: "but for remarks nobody acts who neither sits in a seat of the step, nor holds a delegation of one in \
           force, nor is the applicant with the applicant's own acts",
    situation: r#"
        @id("only_seats")
        permit (principal, action, resource)
        unless {
          principal in resource.holders || principal in resource.higher || principal in resource.acting
          || (context has delegation && context.delegation.person == principal
            && (resource.holders.contains(context.delegation.seat)
              || resource.higher.contains(context.delegation.seat))
            && context.delegation.from <= context.date && context.date <= context.delegation.until)
          || action == Sekisho::Action::"comment"
          || (principal == resource.applicant
            && action in [Sekisho::Action::"resubmit", Sekisho::Action::"withdraw", Sekisho::Action::"move",
              Sekisho::Action::"ask_extension"])
        };
    "#,
};
