#include "text/stop_words.h"

#include <array>

#include "tailrace/base/check.h"
#include "text/unicode.h"
#include "text/word_list.h"

namespace tailrace::pipeline::text {
namespace {

constexpr std::array<std::string_view, 7> kLanguages = {"en", "fr", "es", "nl", "de", "it", "pt"};

// As WordReader cuts words: "doesn't" is "doesn" and "t", "l'eau" is "l" and "eau".
constexpr std::array<std::string_view, kLanguages.size()> kWords = {
    // en
    R"(a about above after again against ago all almost alone along already also although always am among an and another any anybody
anyone anything anyway are aren around as at away be became because become been before being below between both but by came can cannot
could couldn did didn do does doesn doing done don down during each either else enough even ever every everybody everyone everything
few first for from further get gets getting give given go goes going gonna got gotta had hadn has hasn have haven having he her here
hers herself him himself his how however i if in indeed instead into is isn it its itself just keep knew know known knows last least
less let lets lot made make makes making many may maybe me might mine more most much must my myself near need never next no nobody none
nor not nothing now of off often oh ok okay on once one only onto or other others otherwise our ours ourselves out over own per perhaps
please quite rather really said same saw say saying says see seem seems seen several shall she should shouldn since so some somebody
someone something sometimes somewhere still such take taken takes taking than that the their theirs them themselves then there therefore
these they thing things this those though through thus till to today together tomorrow tonight too took toward towards tried try trying
under until unto up upon us use used uses using usually very via want wanted wants was wasn way we well went were weren what whatever
when whenever where wherever whether which while who whoever whole whom whose why will with within without won would wouldn yeah yes yesterday yet
you your yours yourself yourselves)",
    // fr
    R"(a ai aie ailleurs ainsi alors après as assez au aucun aucune aujourd auquel aura aurait auront aussi autant autour autre autres aux
avaient avais avait avant avec avez aviez avions avoir avons ayant beaucoup bien bon c ça car ce ceci cela celle celles celui cependant
certain certaine certaines certains ces cet cette ceux chaque chez ci comme comment contre d dans de dedans dehors déjà depuis derrière des
dès deux devant devrait doit donc dont du durant elle elles en encore enfin entre envers es est et étaient étais était étant été être eu
eux eût fait faire fais faisait faites font fois furent hier hors hui ici il ils j je jamais jusqu jusque juste l la là laquelle le lequel
les lesquelles lesquels leur leurs lors lorsque lui m ma maintenant mais malgré me même mêmes mes mien mieux moi moins mon n ne ni non nos
notre nous ont on or ou où par parce parfois parmi pas pendant personne peu peut peuvent peux plus plusieurs plutôt pour pourquoi pourrait
pourtant près presque puis puisque qu quand que quel quelle quelles quelqu quelque quelques quels qui quoi quoique rien s sa sans sauf se
selon sera serait seront ses si sinon soi soit sommes son sont sous souvent suis sur surtout t ta tandis tant te tel telle telles tellement
tels tes toi ton toujours tous tout toute toutefois toutes très trop tu un une va vais vers veut veux voici voilà voir vont vos votre vous
vraiment y)",
    // es
    R"(a acá además ahí ahora al algo alguien algún alguna algunas alguno algunos allá allí ambos ante antes apenas aquel aquella aquellas
aquello aquellos aquí así aun aún aunque ayer bajo bastante bien cada casi como cómo con conmigo contigo contra cosa cosas cual cuál cuales
cualquier cuando cuándo cuanto cuánto cuyo da dar de deben debe debería del demás demasiado dentro desde después detrás dice dicho dijo donde
dónde dos durante e el él ella ellas ello ellos en encima entonces entre era eran eras eres es esa esas ese eso esos esta está estaba estaban
estado estamos están estar estas estás este esto estos estoy estuvo fue fuera fueron fui gran ha había habían haber hablar hace hacen hacer
hacia haciendo han hasta hay haya he hecho hemos hoy iba igual incluso ir jamás junto la las le les lo los luego mas más mayor me mediante
mejor menos mi mí mía mientras mío mis misma mismas mismo mismos mucha muchas mucho muchos muy nada nadie ni ningún ninguna ninguno no nos
nosotras nosotros nuestra nuestras nuestro nuestros nunca o os otra otras otro otros para parece pero poca pocas poco pocos podemos poder
podría por porque porqué primera primero pudo pueda puede pueden puedo pues que qué queda quien quién quienes quiere quiero quizá quizás sabe
se sea sean según ser será serán sería si sí sido siempre siendo sin sino sobre sois solamente solo sólo somos son soy su sus suya suyo tal
también tampoco tan tanta tanto te tendrá tener tenga tengo tenía ti tiene tienen toda todas todavía todo todos tras tu tú tus tuvo tuya
tuyo un una unas uno unos usted ustedes va vamos van varias varios vaya ver vez veces voy vosotros y ya yo)",
    // nl
    R"(aan achter af al alle alleen alles als altijd ander andere anders ben beter bij bijna binnen boven buiten daar daarna daarom dan dat de
deze dezelfde die dit doch doe doen door dus dwars echt een eens eerst eerste eigen eigenlijk elk elke en enkel enkele er erg ergens even
gaan gaat gedaan geen gehad geweest geworden ging goed graag had hadden heb hebben hebt heeft heel helemaal hen het hier hierna hij hoe hoewel
hun iedere iedereen iemand iets ik in inderdaad is ja jaar je jij jou jouw jullie kan kon konden kunnen kunt laat laatste later liever maar
maken mag me mee meer meest men met mezelf mij mijn misschien moest moet moeten mogen na naar naast nee net niemand niet niets nieuw nieuwe
nog nogal nooit nou nu of ofwel om omdat onder ondanks ons onze ook op opnieuw over overal per pas precies samen sinds soms sommige steeds
straks te tegen ten ter terug terwijl tijdens toch toe toen tot totdat tussen twee u uit uw vaak van vandaag vanaf vanuit veel verder via
vooral voor voordat vorige waar waarin waarom waarop wanneer want waren was wat we wel welk welke weer weinig werd werden wie wij wil wilde
willen worden wordt zal ze zeer zeg zegt zei zeker zelf zelfs zich zichzelf zij zijn zo zoals zodat zonder zou zouden zult zullen)",
    // de
    R"(aber alle allem allen aller alles als also am an ander andere anderem anderen anderer anderes anders auch auf aus außer bald bei beim
bereits bevor bin bis bist bisher da dabei dadurch dafür dagegen daher dahin damals damit danach daneben dann daran darauf daraus darf darin
darüber darum darunter das dass davon davor dazu dein deine deinem deinen deiner dem den denen denn dennoch der deren des deshalb dessen
dich die dies diese diesem diesen dieser dieses dir doch dort du durch dürfen ebenfalls eben ein eine einem einen einer eines einfach einige
einigen einiger einmal er erst erste es etwas euch euer eure für ganz gar gegen gehabt geht gemacht genau gern gerne gestern gewesen geworden
gibt ging gleich hab habe haben hat hatte hatten hätte hätten hast hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im immer in
indem ins irgend ist ja jede jedem jeden jeder jedes jedoch jemand jene jetzt kann kannst kein keine keinem keinen keiner können könnte
könnten lassen machen macht mal man manche manchmal mehr mein meine meinem meinen meiner meist mich mir mit möchte möglich muss müssen musste
nach nachdem natürlich neben nein nicht nichts nie niemand noch nun nur ob oben obwohl oder oft ohne schon sehr seid sein seine seinem seinen
seiner seit seitdem selbst sich sie sind so sobald sogar solche solchen soll sollen sollte sollten sondern sonst soviel sowie statt trotz über
überhaupt um und uns unser unsere unseren unter viel viele vielen vielleicht vom von vor vorher während wann war waren warum was wegen weil
weiter welche welchem welchen welcher welches wenig weniger wenn wer werde werden weshalb wie wieder wieso will wir wird wirklich wirst wo
wohl wollen worden wurde wurden würde würden zu zum zur zusammen zwar zwischen)",
    // it
    R"(a abbiamo abbia ad adesso agli ai al alcuna alcune alcuni alla alle allo allora altra altre altri altro anche ancora appena avere aveva
avevano avete avuto bene c che chi ci ciascuno ciò circa come con contro cosa cosi così cui d da dagli dai dal dalla dalle dallo davanti degli
dei del della delle dello dentro di dietro dire dopo dove dovrebbe dunque durante e è ecco ed era erano essa esse essendo essere essi fa fanno
fare fatto finché fino forse fra fu fuori furono già gli ha hai hanno ho i il in infatti insieme intorno invece io l la là le lei li lo loro
lui ma mai me meglio meno mentre mi mia mie miei mio molta molte molti molto ne nei nel nella nelle nello nemmeno nessuno niente no noi non
nostra nostre nostri nostro nulla o ogni oggi oltre ora ossia ovvero per perché perciò però più poco poi possono potrebbe prima proprio può
qua quale quali qualche qualcosa qualcuno quando quanta quanto quasi quel quella quelle quelli quello quest questa queste questi questo qui
quindi sarà sarebbe se sei sembra sempre senza si sì sia siamo siano siete solo sono sopra sotto sta stata state stati stato stesso su sua
subito sue sugli sui sul sulla sulle suo suoi tale tanto te ti tra tranne troppo tu tua tue tuo tuoi tutta tutte tutti tutto un una uno va
vai verso vi via vogliono voi volta vostra vostri vostro)",
    // pt
    R"(a acho agora aí ainda além algo alguém algum alguma algumas alguns ali ante antes ao aos apenas após aquela aquelas aquele aqueles aqui
aquilo as às até através bem cada cá com como contra contudo da daquele dar das de dela delas dele deles demais dentro depois desde dessa
desse desta deste deve devem dever disse disso disto diz do dos durante e é ela elas ele eles em embora enquanto então entre era eram essa
essas esse esses esta está estamos estão estar estas estava estavam este estes esteve estou eu faz fazem fazer feito fica ficar foi fomos
for fora foram fosse há havia hoje isso isto já jamais lá lhe lhes logo longe mais mas me mesma mesmas mesmo mesmos meu meus minha minhas
muita muitas muito muitos na nada não nas nem nenhum nenhuma nessa nesse nesta neste ninguém no nos nós nossa nossas nosso nossos num numa
nunca o onde ontem os ou outra outras outro outros para pela pelas pelo pelos perto pode podem poder pois por porém porque porquê pouca pouco
poucos qual quais qualquer quando quanto quase que quê quem quer são se seja sejam sem sempre sendo ser será seria seu seus si sido sim sob
sobre só somente somos sou sua suas tal também tampouco tanta tanto tão te tem têm temos tenha tenho ter teu teve tinha tinham toda todas
todavia todo todos tu tua tudo um uma umas uns vai vamos vão vez vezes vir você vocês vou)",
};

}  // namespace

std::span<const std::string_view> StopWordLanguages() { return kLanguages; }

StopWords::StopWords(const std::vector<std::string>& languages, const std::vector<std::string>& more) {
  for (const std::string& language : languages) {
    size_t index = 0;
    while (index < kLanguages.size() && kLanguages[index] != language) ++index;
    TAILRACE_CHECK(index < kLanguages.size(), "the pipeline's check let an unknown language through: " + language);
    ForEachWord(kWords[index], [this](std::string_view word) { words_.insert(word); });
  }
  more_.reserve(more.size());  // Views into its texts stay valid.
  for (const std::string& word : more) {
    std::string lower;
    AppendLower(lower, std::string_view(word));
    more_.push_back(std::move(lower));
    words_.insert(more_.back());
  }
}

}  // namespace tailrace::pipeline::text
