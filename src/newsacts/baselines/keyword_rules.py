"""The cue words of the four acts as data: what the codebook's "In" names, and what its "Out" takes back.

Patterns are matched against text in lower case, with curly apostrophes made straight and white space folded. Matches of
`voided` are blanked first, so that "rejected calls" is no denial and "declined to apologise" no regret; a pattern of
`found` in what is left gives the label. Every repetition is bounded, so matching is linear in the length of the text.
Written from the codebook and from counts of cue words in training sentences; dev and test sentences were not looked at.
"""

from dataclasses import dataclass

NOT = (
    r"(?:not|never|n't|n t|\w{2,8}n't|without|nobody|no one|none|neither|nor|"
    r"refus\w+ to|declin\w+ to|fail\w* to|unwilling to)"
)
"""What stands before an act that is not performed; "n't" stands alone in tokenised text, else at the end of a word."""
GAP = r"(?:\W+\w+){0,3}?\W+"
"""Up to three words between a negation and what it negates."""
CLAIMS = r"(?:accusation|allegation|assertion|charge|claim|insinuation|notion|report|rumou?r|suggestion|idea that)s?"
DEMANDS = (
    r"(?:appeal|application|attempt|bail|bid|bill|call|compromise|deal|demand|entry|idea of|invitation|law|lawsuit|"
    r"motion|offer|permission|permit|petition|plan|proposal|request|suit|talks|term|ultimatum|visa|access)s?"
)
DENY = r"(?:den(?:y|ies|ied|ying)|denials?|reject\w*|dismiss\w*|refut\w+|rebut\w*)"
PARTY = (
    r"(?:government|state|country|regime|company|companies|official|officials|diplomat|diplomats|bank|banks|club|"
    r"player|players|team|athlete|athletes|lawmaker|lawmakers|outlet|channel|firm|firms|ambassador|envoy|inspectors)"
)


@dataclass(frozen=True, slots=True)
class KeywordRule:
    """Patterns that give a label, and patterns that are blanked before those are looked for."""

    found: tuple[str, ...]
    voided: tuple[str, ...] = ()


KEYWORD_RULES: dict[str, KeywordRule] = {
    "accusation": KeywordRule(
        found=(
            r"\baccus(?:e|es|ed|ing|ations?)\b",
            r"\b(?:blam(?:e|es|ed|ing)|alleg\w+|indict\w*)\b",
            r"\bcharged\b(?:\W+\w+){0,4}?\W+(?:with|in|over)\b",
            r"\b(?:criminal|fraud|corruption|murder|terrorism|bribery|espionage|conspiracy|spying) charges?\b",
            r"\bcharges? (?:of|that|against)\b",
            r"\b(?:suspected|convinced) of\b",
            r"\bon suspicion of\b",
            r"\b(?:condemn|denounc)\w*\b(?:\W+\w+){0,4}?\W+(?:for|attack|bombing|killing|shooting|strike|test|violence|act)\w*\b",
            r"\b(?:sued|sues|suing)\b(?:\W+\w+){0,5}?\W+(?:for|over|alleging|saying|accusing)\b",
            r"\b(?:lied|liars?|lying (?:to|about)|witch[ -]hunt|smears?|smear campaign|hypocri\w+|propaganda)\b",
            r"\b(?:violat(?:ed|es|ing)|breach(?:ed|es|ing)|in (?:violation|breach) of)\b",
            r"\b(?:meddl\w+|interfer(?:ed|es|ing|ence)|collu\w+|collud\w+)\b",
            r"\b(?:sexual (?:harassment|misconduct|assault)|money laundering|war crimes?|human rights abuses?)\b",
            r"\b(?:investigat\w+|inquiry|inquiries|probed?|arrested|detained|on trial|trial)\b(?:\W+\w+){0,3}?\W+"
            r"(?:for|into|on|over)\W+(?:\w+\W+){0,2}?(?:brib\w*|corruption|fraud|spying|murder|abuse|misconduct|collusion|terror\w*)\b",
            r"\bresponsible for (?:the )?(?:attack|attacks|killing|killings|death|deaths|bombing|crisis|violence)\b",
            r"\b(?:was|were|is|are) behind the (?:\w+ )?(?:attacks?|bombing|coup|hack\w*|killing|plot|poisoning)\b",
            r"\b(?:unconstitutional|unlawful|is illegal|was illegal|illegally)\b",
        ),
        voided=(
            rf"\b{NOT}{GAP}(?:accus|blam|alleg|charg|indict|condemn|denounc|violat|breach|meddl|interfer|collu)\w*",
            # The object of a denial is not a second accusation, nor is its clause.
            rf"\b{DENY}\b[^,;.]{{0,120}}",
            r"\bnot guilty to\b[^,;.]{0,80}",
            r"\b(?:the|an|prime|co-) ?accused\b(?! of)",
            r"\b(?:in|take|takes|took|taking) charge\b",
            r"\bcharg(?:e|es|ed) (?:[$€£]|(?:a|an) (?:\w+ )?(?:commission|fare|fee|levy|premium|price|rate|toll)s?\b)",
        ),
    ),
    "denial": KeywordRule(
        found=(
            r"\b(?:den(?:y|ies|ied|ying)|denials?)\b",
            rf"\b(?:reject|dismiss|refut|rebut|brush\w* (?:off|aside)|disput|debunk)\w*{GAP}{CLAIMS}\b",
            rf"\b{CLAIMS}{GAP}(?:was|were|is|are){GAP}(?:false|untrue|baseless|unfounded|groundless|nonsense|fabricated)\b",
            r"\b(?:baseless|unfounded|groundless|untrue|fabricated|fabrications?|no truth|not true)\b",
            r"\b(?:had|has|have) nothing to do with\b",
            r"\bnot guilty\b",
            r"\b(?:was|were|is|are|been) (?:not|never) (?:aware|involved|responsible|behind)\b",
            r"\b(?:no|any) (?:knowledge|involvement|collusion|wrongdoing)\b",
            r"\bdisclaim\w*\b",
            r"\bsaid (?:he|she|they|it) (?:had |has |have )?(?:never|did not|didn't)\b",
        ),
        voided=(
            rf"\b{NOT}{GAP}(?:den(?:y|ies|ied|ying)|reject\w*|dismiss\w*)\b",
            rf"\b(?:reject\w*|dismiss\w*|den(?:y|ies|ied|ying)|denials?)\b(?:\W+\w+){{0,4}}?\W+{DEMANDS}\b",
            r"\b(?:can|could|cannot|can't)(?: not)? (?:be )?den(?:y|ied)\b|\bundeniabl[ey]\b|\bthere is no denying\b",
            r"\b(?:was|were|been|being|are|is) denied\b(?! by)",
            r"\bclimate (?:change )?denial\b|\bholocaust denial\b",
        ),
    ),
    "regret": KeywordRule(
        found=(
            r"\bregret(?:s|ted|ting|table|tably|ful|fully)?\b",
            r"\bapolog(?:y|ies|i[sz]e|i[sz]es|i[sz]ed|i[sz]ing|etic)\b",
            r"\b(?:sorry|remorse|remorseful|contrite|contrition|ashamed|repent(?:s|ed|ant|ance)?|mea culpa)\b",
            r"\b(?:made|admitted|acknowledged|was) (?:a|an|our|his|her|their) (?:\w+ )?mistakes?\b",
            r"\b(?:we|i) should (?:not )?have (?:done|acted|known|been|said)\b",
        ),
        voided=(
            rf"\b{NOT}{GAP}(?:regret|apolog|repent)\w*",
            r"\b(?:no|any|without) (?:regrets?|remorse|apolog(?:y|ies)|contrition)\b",
            r"\b(?:demand|seek|await|expect|want|call(?:s|ed|ing)? (?:for|on))\w*\b"
            r"(?:\W+\w+){0,6}?\W+(?:apolog\w+|regret\w*)",
            r"\b(?:must|should|ought to) (?:\w+ )?apologi[sz]e\b",
            r"\b(?:feel|feels|felt) sorry for\b|\bsorry (?:state|sight|for your loss|for the families)\b",
            r"\bregrets? (?:that )?\w+ (?:can ?not|could not|will not be able)\b",
        ),
    ),
    "sanction": KeywordRule(
        found=(
            r"\b(?:sanction(?:s|ed|ing)?|embargo(?:es|ed)?|blacklist(?:s|ed|ing)?|boycott(?:s|ed|ing)?)\b",
            r"\b(?:asset freezes?|export controls?|(?:travel|visa|arms|export|import|oil|trade|transfer) bans?)\b",
            r"\b(?:freez|froze)\w*\b(?:\W+\w+){0,4}?\W+(?:assets?|accounts?|funds|aid|ties)\b",
            rf"\b(?:expel|expels|expelled|expelling|expulsions?)\b(?:\W+\w+){{0,4}}?\W+{PARTY}\b",
            r"\bexpulsions?\b",
            rf"\b(?:bans?|banned|banning|barred|suspend\w*|suspension)\b(?:\W+\w+){{0,3}}?\W+{PARTY}\b",
            r"\b(?:banned|suspended|barred) (?:for|from|by|indefinitely|over)\b",
            r"\b(?:fined|fines of|a fine of|(?:was|were|been) fined)\b",
            r"\b(?:cut|cutting|cuts|halt|halted|withh?[eo]ld\w*|sever\w*|suspend\w*)\b(?:\W+\w+){0,2}?\W+(?:aid|ties|relations|funding|assistance)\b",
            r"\brecall\w*\b(?:\W+\w+){0,3}?\W+ambassadors?\b",
            r"\b(?:punitive|retaliatory) (?:tariffs?|measures?)\b",
        ),
        voided=(
            rf"\b{NOT}{GAP}(?:sanction|ban|expel|fine|boycott|suspend)\w*",
            r"\bno (?:plans?|intention) (?:for|of|to)\b(?:\W+\w+){0,3}?\W+(?:sanction|ban|embargo)\w*",
            r"\bsanctions? (?:sub)?(?:committee|panel|office|act|bureau)\b",
            r"\b(?:court|state|officially|government|legally)[ -]sanctioned\b",
            r"\b(?:smoking|abortion|same-sex marriage|plastic\w*|fracking|gun|burqa|veil) bans?\b",
        ),
    ),
}
"""The rules of the default scheme."""
