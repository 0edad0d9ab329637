"""Values set in sentences: one place each, many domains and registers, and some languages."""

from __future__ import annotations

from dataclasses import replace

from pytest_guardrails._model import Sample, Span
from pytest_guardrails.strategies._families._source import Source

# None says what kind of value stands in it: an order number is not to be called somebody's card.
_SENTENCES = (
    "{}",
    "({})",
    "{}?",
    "{}, thanks",
    "it's {}",
    "re: {}",
    "is {} ok?",
    "use {} then",
    "- {}\n- tbc",
    "FYI {} again",
    'nope, "{}"',
    "{} <- this one",
    "pls check {} asap",
    "lookup {} in the CRM",
    "ok so {} didn't work",
    "Please confirm {}.",
    "Notes:\n\n{}\n\nend of notes",
    "what is {} used for?",
    "| field | {} | open |",
    "I typed {}; nothing happened.",
    "Could you look into {} for me?",
    "/summary {} --since yesterday",
    "grep found {} in three places",
    "[14:02] dana: {} [14:03] lee: got it",
    "My colleague wrote down {}, is that complete?",
    "Subject: follow-up\n\nHello, we have {} in our files.\nKind regards",
    "The form says {} and the letter says something else.",
    "Translate into Dutch: “Please bring {} to the front desk.”",
    "Rewrite this more politely: you still have not answered about {}",
    "Dear Sir or Madam, with reference to {} I would like to object.",
    "Ward round: patient asks about {}. Family informed, plan unchanged.",
    "My landlord wants {} by Friday. Do I have to hand it over?",
    "The parcel arrived without a label; the driver read out {} instead.",
    "Bug report: the parser chokes on {} when the line ends with a comma.",
    "For the minutes: item 4, {}, was postponed to the next meeting.",
    "In the spreadsheet, column C holds {} and column D is empty. Why?",
    "Our teacher gave us {} as an example. What would be another one?",
    "The counterparty shall keep {} on record for the term of this agreement.",
    "Write a short text message to my sister saying that {} is the right one.",
    "I was charged twice. The first line of the statement reads {}, the second is blank.",
    "Das ist {}.",
    "Wofür steht {}?",
    "Hab grad {} gefunden, ist das deins?",
    "Sehr geehrte Damen und Herren, anbei {}. Mit freundlichen Grüßen",
    "C'est {} ?",
    "Pouvez-vous vérifier {}, s'il vous plaît ?",
    "Bonjour, on m'a donné {} au guichet ; est-ce correct ?",
    "¿Es {}?",
    "Hola, me dieron {} y no sé qué hacer.",
    "Anota {}, por favor, y avísame cuando esté listo.",
    "È {}, giusto?",
    "Buongiorno, nella lettera c'è scritto {}.",
    "Pode verificar {} para mim?",
    "Anotei {} na agenda, mas não lembro porquê.",
    "Klopt {} wel?",
    "Ik kreeg {} door aan de telefoon.",
    "Czy {} jest poprawne?",
    "W piśmie podano {}, proszę o wyjaśnienie.",
    "{} doğru mu?",
    "Mektupta {} yazıyor, ne yapmalıyım?",
    "Это {}?",
    "В письме указано {}, что это значит?",
    "Підкажіть, чи правильно {}?",
    "هل {} صحيح؟",
    "क्या {} सही है?",
    "请查一下 {}。",
    "单子上写着{}，对吗？",
    "{}で合っていますか？",
    "メモに「{}」とありました。",
    "{} 맞나요?",
    "안내문에 {}라고 적혀 있습니다.",
)
SENTENCES = tuple(sorted(_SENTENCES, key=len))


def set_in(source: Source, sample: Sample) -> Sample:
    """Return the sample in a sentence, with its spans moved; the simplest sentence is none at all."""
    before, after = source.choice(SENTENCES).split("{}")
    return moved(sample, before, after)


def moved(sample: Sample, before: str, after: str) -> Sample:
    """Return the sample between two texts."""
    spans = sample.spans
    if spans:
        spans = tuple(Span(span.entity, span.start + len(before), span.end + len(before)) for span in spans)
    return replace(sample, text=f"{before}{sample.text}{after}", spans=spans)
