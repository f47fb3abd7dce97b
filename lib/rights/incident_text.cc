#include "rights/incident_text.h"

#include <cstdio>

namespace efface {

Reach reach_of(const Exposed& exposed) noexcept {
  if (exposed.memory) return Reach::readable;
  if (!exposed.keyring || !exposed.root_key) return Reach::nothing;
  return exposed.records ? Reach::readable : Reach::at_risk;
}

const char* name(Reach reach) noexcept {
  switch (reach) {
    case Reach::nothing:
      return "nothing";
    case Reach::at_risk:
      return "at_risk";
    case Reach::readable:
      return "readable";
  }
  return "unknown";
}

}  // namespace efface

namespace efface::rights {
namespace {

std::string spell(TimePoint when) {
  const auto day = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::minutes>(when - day));
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d UTC", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()));
  return text;
}

std::string number(std::uint64_t count) { return std::to_string(count); }

void add_list(std::string& list, bool is_on, std::string_view what) {
  if (!is_on) return;
  if (!list.empty()) list += "; ";
  list += what;
}

std::string spell(const Exposed& exposed) {
  std::string list;
  add_list(list, exposed.records, "a copy of the record files");
  add_list(list, exposed.keyring, "a copy of the keyring files");
  add_list(list, exposed.root_key, "what the root key store held");
  add_list(list, exposed.memory, "the memory of a process that had the store open");
  return list;
}

// The same facts for everyone: what a copy like that lets one read.
std::string_view consequences(const Exposed& exposed) {
  switch (reach_of(exposed)) {
    case Reach::readable:
      return "Whoever has it can read the records counted above.";
    case Reach::at_risk:
      return "Keys were exposed, and no records. Whoever also gets a copy of the record files, of"
             " whatever age,\ncan read the records counted above.";
    case Reach::nothing:
      break;
  }
  if (exposed.records && exposed.keyring)
    return "Records and keys are encrypted, and the root key was not exposed: no record can be"
           " read. The files show\nhow many records there are, their sizes, when they were written"
           " and on which days they expire.";
  if (exposed.records)
    return "The records are encrypted, and no key was exposed: none can be read. The files show how"
           " many records\nthere are, their sizes, when they were written and on which days they"
           " expire.";
  if (exposed.keyring)
    return "The keys are themselves encrypted, and the root key was not exposed: none can be read.";
  return "A root key opens nothing without the keyring files of its own epoch, which were not"
         " exposed: nothing\ncan be read.";
}

std::string approximately(const TenantExposure& exposure) {
  std::string text = "about " + number(exposure.people) + " people";
  if (exposure.people_gone != 0)
    text +=
        ", of whom " + number(exposure.people_gone) + " have been erased, moved or merged since";
  return text;
}

std::string of_purposes(const TenantExposure& exposure) {
  std::string text;
  for (const TenantExposure::OfPurpose& of : exposure.purposes) {
    if (of.people == 0 && of.people_perhaps == 0 && of.consents_gone == 0) continue;
    text += "  - " + of.purpose + ": about " + number(of.people) + " people and " +
            number(of.records) + " records";
    if (of.people_perhaps != 0)
      text += "; perhaps " + number(of.people_perhaps) +
              " people more, whose records were replaced"
              " or removed since";
    if (of.consents_gone != 0)
      text += "; at most " + number(of.consents_gone) + " people whose consent was withdrawn since";
    text += "\n    categories of data: ";
    std::string categories;
    for (const std::string& category : of.categories) add_list(categories, true, category);
    text += categories.empty() ? "[to be completed]" : categories;
    text += '\n';
  }
  if (exposure.days_gone != 0)
    text += "  - and the records of " + number(exposure.days_gone) +
            " days of retention that have been destroyed since\n";
  return text.empty() ? "  - none\n" : text;
}

std::string measures(const Incident& incident, const TenantExposure& exposure) {
  std::string text =
      "  - Records, their names and whom they belong to are encrypted, under keys of each "
      "person.\n";
  if (exposure.people_beyond_reach != 0)
    text += "  - " + number(exposure.people_beyond_reach) +
            " people had been erased before: their keys were destroyed, and no copy has them.\n";
  std::uint64_t consents = 0;
  for (const TenantExposure::OfPurpose& of : exposure.purposes)
    consents += of.consents_beyond_reach;
  if (consents != 0)
    text += "  - The keys to what " + number(consents) +
            " withdrawn consents had been for were destroyed before.\n";
  if (exposure.days_beyond_reach != 0)
    text += "  - The keys to " + number(exposure.days_beyond_reach) +
            " days of retention that were over were destroyed before.\n";
  if (incident.terms.exposed.root_key || incident.terms.exposed.memory)
    text +=
        "  - Root keys that were exposed open later copies of the keyring until a second epoch has"
        " ended (the key\n    in force and a spare). An erasure ends one, and so does a rotation of"
        " the root key.\n";
  return text + "  - [what else was done, and is proposed, to address it]\n";
}

std::string for_authority(const Incident& incident, const TenantExposure& exposure) {
  std::string text =
      "Notification of a personal data breach to the supervisory authority"
      " (Article 33 GDPR)\n\n";
  text += "Controller: " + exposure.tenant + " [name and address to be completed]\n";
  text += "Reference: " + number(incident.number) + ", " + incident.terms.reference + '\n';
  text += "Discovered: " + spell(incident.terms.discovered) + "; to be notified by " +
          spell(incident.deadline) + '\n';
  text += "[If it is later than that: the reasons for the delay, 33(1)]\n\n";
  text += "1. Nature of the breach, 33(3)(a)\n";
  text += "Exposed between " + spell(incident.terms.from) + " and " + spell(incident.terms.until) +
          ": " + spell(incident.terms.exposed) + ".\n";
  if (exposure.reach == Reach::nothing) {
    text += "No personal data could be read.\n\n";
  } else {
    text += std::string(exposure.reach == Reach::readable ? "Readable" : "At risk") +
            ": the data of " + approximately(exposure) + ".\nBy purpose:\n" +
            of_purposes(exposure) + '\n';
  }
  text +=
      "2. Contact, 33(3)(b)\n[name and contact details of the data protection officer, or"
      " another contact point]\n\n";
  text += "3. Likely consequences, 33(3)(c)\n";
  text += consequences(incident.terms.exposed);
  text += "\n[what that may mean for the people concerned]\n\n";
  text += "4. Measures, 33(3)(d)\n" + measures(incident, exposure);
  return text;
}

std::string for_people(const Incident& incident, const TenantExposure& exposure) {
  std::string text = "About your personal data (Article 34 GDPR)\n\n";
  text += exposure.tenant + " [name to be completed] holds personal data about you.\n\n";
  text += "What happened: between " + spell(incident.terms.from) + " and " +
          spell(incident.terms.until) + " somebody got, or may have got, " +
          spell(incident.terms.exposed) + ".\n\n";
  text += "What it may mean for you: ";
  if (exposure.reach == Reach::nothing) {
    text += "your data is encrypted, and could not be read.\n";
    text += "[34(3)(a): where data is unintelligible to whoever has it, people need not be told]\n";
  } else {
    text += exposure.reach == Reach::readable
                ? "your data could be read."
                : "keys to your data were exposed, but no data. Together with a copy of the data it"
                  " could be read.";
    text += " What we kept was for:\n";
    for (const TenantExposure::OfPurpose& of : exposure.purposes) {
      if (of.people == 0 && of.people_perhaps == 0) continue;
      std::string categories;
      for (const std::string& category : of.categories) add_list(categories, true, category);
      text += "  - " + of.purpose + (categories.empty() ? "" : ": " + categories) + '\n';
    }
    text += "[what that may mean, in plain words]\n";
  }
  text +=
      "\nWhat was done: each person's data is encrypted under keys of her own. What had been"
      " erased before it\nhappened cannot be read by anybody.\n[what else was done, and what you"
      " can do yourself]\n\n";
  text +=
      "Whom to ask: [name and contact details of the data protection officer, or another contact"
      " point]\n";
  return text;
}

}  // namespace

std::string notification(const Incident& incident, const TenantExposure& exposure,
                         Audience audience) {
  return audience == Audience::authority ? for_authority(incident, exposure)
                                         : for_people(incident, exposure);
}

}  // namespace efface::rights
