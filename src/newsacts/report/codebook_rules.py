"""The codebook's rules for the four acts, short and in its own words, for pages that show errors.

The wording is that of docs/codebook.md; a test holds the two together. Labels of other schemes have no rules here.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """What an act is, what counts as it, and what looks like it and does not count."""

    definition: str
    counts: tuple[str, ...]
    does_not: tuple[str, ...]


CODEBOOK_VERSION = "1.3"

CODEBOOK_RULES = {
    "accusation": Rule(
        "Somebody asserts that an identifiable party does, did or answers for something wrong, unlawful, "
        "harmful, dishonest or unfair.",
        (
            'accuse, blame, allege, fault; "said the miners were behind it", "is lying", "broke the treaty"',
            "charges, indictments, lawsuits that state a wrong, not yet a verdict",
            "suspicion of a named party; an arrest, trial or inquiry with the wrong stated",
            "findings of guilt by officials, inquiries, rights groups, the press",
            "condemning a deed somebody did",
            'bias, hypocrisy, bad faith, unfair treatment; "witch hunt", "smear"',
            'a noun of accusation ("amid claims of fraud"), even without the accused',
            "an act or law called unlawful where whose it is, is known",
        ),
        (
            '"criticised the budget as too small", "too slow", "should have asked"',
            "a conviction, verdict or guilty plea as court fact",
            "a plain arrest; an inquiry into an event with no wrong stated",
            "a wrong told by the writer as plain fact; battle and crime reports",
            "condemning an attack whose author nobody names",
            "a bare insult; worry, warning, threat or demand alone",
            '"something went wrong"',
            "disagreement with a policy",
        ),
    ),
    "denial": Rule(
        "Somebody states that a claim, report or accusation is untrue, or that they did not do, know of or "
        "answer for something.",
        (
            "denied, rejected or dismissed a claim, report, accusation",
            '"baseless", "had no part in", "never met him", "did not happen" in answer to a claim',
            "not-guilty pleas; disclaiming responsibility or knowledge",
            'nouns ("despite his denials")',
        ),
        (
            "rejected a demand, bid, offer, plan, bill, appeal",
            'a negative that answers no claim ("the talks did not resume")',
            "denied entry, bail, a visa, a permit, funds",
            '"declined to comment"; a court dismissing a case; not remembering',
        ),
    ),
    "regret": Rule(
        "Somebody expresses regret, remorse or apology over an act, an omission, a decision or its outcome, "
        "their own or another's.",
        (
            "regret, apologise, sorry, ashamed, contrite, asked for forgiveness",
            '"it was our mistake", "we should have checked" of one\'s own conduct',
            '"this should not have happened" by the party answerable',
            'diplomatic regret ("we regret the decision")',
            "an apology reported, offered, repeated, promised",
        ),
        (
            "condolence, grief, sympathy over a misfortune",
            "a mistake corrected without a word of it",
            "the same by a bystander",
            'disappointment, concern, "unfortunately", condemnation',
            'an apology demanded, awaited or refused; "no regrets"',
        ),
    ),
    "sanction": Rule(
        "A punitive or coercive restrictive measure against a party for its conduct, by a state, bloc, "
        "international body, court (freezes and restrictions), regulator, federation, league, club, party or "
        "platform: imposed, extended, eased, lifted, evaded, threatened, proposed, called for or discussed.",
        (
            "embargoes, asset freezes, travel bans, blacklists, export controls, punitive tariffs",
            "expelled diplomats, recalled ambassadors, aid or ties cut as a penalty",
            "regulators' fines, suspensions, points deductions, bans, boycotts",
            "sanctions relief, breach and evasion of sanctions",
            "platform bans of outlets and advertisers for their conduct",
        ),
        (
            "trade duties as ordinary policy",
            "aid cut for lack of money; an ambassador's routine return",
            "prison terms, arrests; the fine a law sets for everybody",
            '"sanctioned" as approved',
            "rules for everybody; product recalls; an employer's discipline",
        ),
    ),
}
"""By label of the default scheme."""
