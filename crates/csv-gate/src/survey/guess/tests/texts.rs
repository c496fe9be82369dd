//! Lines as they stand in product feeds, in many languages. Each was written for this test.

/// The encoding of a text, and its lines.
pub(super) type Text = (&'static str, &'static str, [&'static str; 10]);

#[rustfmt::skip]
pub(super) const TEXTS: &[Text] = &[
    ("English", "windows-1252", [
        "Nestlé chocolate bar", "Jalapeño sauce, hot", "Crème fraîche", "Häagen ice cream", "Piña colada mix", "Citroën model car",
        "Décor: naïve art", "Château red wine", "Smörgås knife", "Über soft towel"]),
    ("English", "windows-1252", [
        "Pipe ½ inch", "Ø 20 mm ring", "Brix™ tower", "Nordwool® socks", "Baker’s dozen", "-20 to 50 °C", "20 €, or £15", "Desk – oak",
        "“Soft” chair…", "10 × 20 m², ±5 µm"]),
    ("German", "windows-1252", [
        "Schraube für Möbel, verzinkt", "Gartenstühle aus Holz, weiß", "Kühlschrank mit Gefrierfach", "Größe XL, schwarz",
        "Türgriff für Außentüren", "Bücherregal, fünf Böden", "Käsereibe aus Edelstahl", "Handtücher, 2 Stück",
        "Öl für Fahrradketten", "Süße Träume Bettwäsche"]),
    ("French", "windows-1252", [
        "Crème brûlée, boîte de six", "Château de sable pour enfants", "Étagère en chêne massif", "Fenêtre à deux vantaux",
        "Gâteau aux pommes, prêt à cuire", "Lampe de bureau réglable", "Pâtes fraîches aux œufs", "Clé à molette, acier trempé",
        "Théière en fonte émaillée", "Où ranger vos chaussures été comme hiver"]),
    ("Spanish", "windows-1252", [
        "Sartén de aluminio, tamaño pequeño", "Lámpara de pie para salón", "Cojín de algodón", "Champú para niños",
        "Cámara fotográfica con trípode", "¿Cómo elegir un colchón?", "Jabón líquido, 2 litros", "Cinturón de piel marrón",
        "Estantería metálica", "Paño de cocina, 3 piezas"]),
    ("Portuguese", "windows-1252", [
        "Camisola de algodão, azul", "Frigideira com tampa, não adere", "Coração de chocolate", "Pão ralado, 500 g",
        "Calças de criança, verão", "Armário de três portas", "Máquina de café automática", "Cadeira de balanço",
        "Lençóis de linho, casal", "Relógio de parede, números grandes"]),
    ("Italian", "windows-1252", [
        "Caffè macinato, qualità superiore", "Tazza da tè in porcellana", "Novità: lampada a muro", "Sedia più comoda",
        "Perché scegliere il legno", "Scarpe da città, nere", "È pronto da montare", "Ragù alla bolognese",
        "Libertà di movimento", "Tiramisù in coppa"]),
    ("Swedish", "windows-1252", [
        "Köksstol i björk, omålad", "Gräsklippare för små trädgårdar", "Röd tröja, storlek medium", "Blåbärssylt, 400 g",
        "Skärbräda av ek", "Påslakan, två delar", "Hängmatta för balkong", "Mörk choklad, åtta bitar",
        "Översvämningspump", "Tändstickor, långa"]),
    ("Danish", "windows-1252", [
        "Rødvinsglas, sæt med seks", "Køkkenkniv af stål", "Børnecykel, blå", "Æbleskivepande i støbejern",
        "Gulvtæppe, grå", "Hjørnesofa til små rum", "Søm og skruer, blandet", "Bøger om træer",
        "Smør, økologisk", "Måttebånd, tre meter"]),
    ("Finnish", "windows-1252", [
        "Pöytä ja neljä tuolia", "Kynttilänjalka, mäntyä", "Lämmin villapaita", "Kahvipöytä, väri tummanruskea",
        "Särkylääkekaappi", "Työkalulaatikko", "Hyllylevy, säädettävä", "Käsipyyhe, vihreä", "Nahkakenkä", "Sähköhella"]),
    ("Dutch", "windows-1252", [
        "Theepot, geïsoleerd", "Beëindigde artikelen", "Twee kopjes crème", "Reünie-servies voor zes",
        "Geëmailleerde pan", "Één kilo zeeën zout", "Coördinaten op kaart", "Knieën beschermer", "Ruïne van karton", "Café stoel"]),
    ("Polish", "windows-1250", [
        "Łóżko dziecięce, sosna", "Krzesło obrotowe, czarne", "Żarówka energooszczędna", "Półka na książki",
        "Śrubokręt krzyżowy", "Miękki ręcznik kąpielowy", "Zegar ścienny, duży", "Nóż do chleba", "Poduszka z łuską gryki",
        "Źródło światła, białe"]),
    ("Czech", "windows-1250", [
        "Dřevěná židle, světlá", "Kuchyňský nůž, nerez", "Žlutý kůň na kolečkách", "Dětská postýlka", "Příliš žluťoučký deštník",
        "Šroubovák křížový", "Měkký ručník", "Závěsná skříňka, bílá", "Čajová konvice", "Věšák na oblečení"]),
    ("Hungarian", "windows-1250", [
        "Erős kötél, húsz méter", "Fűnyíró kis kertekhez", "Tükör a fürdőszobába", "Konyhai kés, rozsdamentes",
        "Könyvespolc, öt polcos", "Gyűrű ezüstből", "Cipőkanál, hosszú", "Hűtőszekrény fagyasztóval", "Őszibarack konzerv",
        "Törölköző, két darab"]),
    ("Romanian", "windows-1250", [
        "Scaun de bucătărie, maşină de spălat", "Cuţit pentru pâine", "Masă rotundă şi patru scaune", "Pătură de lână",
        "Lampă de birou, înălţime reglabilă", "Cămaşă albă pentru bărbaţi", "Raft pentru cărţi", "Ceaşcă de porţelan",
        "Foarfecă de grădină", "Oglindă în baie"]),
    ("Turkish", "windows-1254", [
        "Ahşap sandalye, açık renk", "Çocuk ayakkabısı, kırmızı", "Yağ şişesi, küçük", "Ütü masası", "Işıklı ayna",
        "Güneş gözlüğü", "Buzdolabı, dondurucusuz", "İpek eşarp, yeşil", "Bıçak takımı", "Kitaplık, beş raflı"]),
    ("Greek", "windows-1253", [
        "Καρέκλα κουζίνας, λευκή", "Τραπέζι ξύλινο", "Ελαιόλαδο πέντε λίτρα", "Μαχαίρι ψωμιού", "Φωτιστικό γραφείου",
        "Πετσέτα μπάνιου", "Παιδικό ποδήλατο", "Ρολόι τοίχου, μεγάλο", "Βιβλιοθήκη με πέντε ράφια", "Κόκκινο πουλόβερ"]),
    ("Russian", "windows-1251", [
        "Молоко пастеризованное, литр", "Стул деревянный, белый", "Нож для хлеба", "Настольная лампа", "Полотенце банное",
        "Детский велосипед", "Часы настенные, большие", "Книжная полка", "Красный свитер", "Чайник эмалированный"]),
    ("Ukrainian", "windows-1251", [
        "Стілець дерев'яний, білий", "Ніж для хліба", "Настільна лампа", "Рушник для ванної", "Дитячий велосипед",
        "Годинник настінний, великий", "Книжкова полиця", "Вінок з квітів", "Чайник емальований", "Їжа для собак, кілограм"]),
    ("Russian", "KOI8-U", [
        "Молоко пастеризованное, литр", "Стул деревянный, белый", "Нож для хлеба", "Настольная лампа", "Полотенце банное",
        "Детский велосипед", "Часы настенные, большие", "Книжная полка", "Красный свитер, моё", "Чайник эмалированный"]),
    ("Russian", "IBM866", [
        "Молоко пастеризованное, литр", "Стул деревянный, белый", "Нож для хлеба", "Настольная лампа", "Полотенце банное",
        "Детский велосипед", "Часы настенные, большие", "Книжная полка", "Красный свитер", "Чайник эмалированный"]),
    ("Hebrew", "windows-1255", [
        "כיסא עץ למטבח, לבן", "שולחן עגול", "סכין לחם", "מנורת שולחן", "מגבת אמבטיה", "אופניים לילדים", "שעון קיר, גדול",
        "מדף ספרים", "סוודר אדום", "קומקום תה"]),
    ("Arabic", "windows-1256", [
        "كرسي خشبي للمطبخ، أبيض", "طاولة مستديرة", "سكين خبز", "مصباح مكتب", "منشفة حمام", "دراجة أطفال", "ساعة حائط، كبيرة",
        "رف كتب", "سترة حمراء", "إبريق شاي"]),
    ("Lithuanian", "windows-1257", [
        "Medinė kėdė, šviesi", "Virtuvinis peilis, nerūdijantis", "Vaikiška lovelė", "Knygų lentyna, penkių aukštų",
        "Minkštas rankšluostis", "Sieninis laikrodis, didelis", "Stalinė lempa žalia", "Ąžuolinis stalas", "Arbatinukas, žydras",
        "Drabužių kabykla"]),
    ("Latvian", "windows-1257", [
        "Koka krēsls, gaišs", "Virtuves nazis, nerūsējošs", "Bērnu gultiņa", "Grāmatu plaukts", "Mīksts dvielis",
        "Sienas pulkstenis, liels", "Galda lampa, zaļa", "Ozolkoka galds, četras kājas", "Tējkanna ar vāku", "Drēbju pakaramais ķieģeļsarkans"]),
    ("Estonian", "windows-1257", [
        "Köögitool, hele kask", "Leivanuga, roostevaba", "Lastevoodi, õun", "Raamaturiiul, viis riiulit", "Pehme käterätik",
        "Seinakell, suur", "Laualamp, roheline", "Tammepuust laud", "Küpsised", "Mööbel õue, tõeliselt hea"]),
    ("Vietnamese", "windows-1258", [
        "Ghê\u{301} gô\u{303} nha\u{300} bê\u{301}p, tră\u{301}ng", "Ba\u{300}n tro\u{300}n bô\u{301}n châ\u{323}n", "Dao că\u{301}t ba\u{301}nh mi\u{300}",
        "Đe\u{300}n ba\u{300}n ma\u{300}u xanh", "Khăn tă\u{301}m lơ\u{301}n", "Xe đa\u{323}p tre\u{309} em", "Đô\u{300}ng hô\u{300} treo tươ\u{300}ng", "Kê\u{323} sa\u{301}ch",
        "A\u{301}o len đo\u{309}", "Â\u{301}m tra\u{300} gô\u{301}m sư\u{301}"]),
    ("Thai", "windows-874", [
        "เก้าอี้ไม้สีขาว", "โต๊ะกลม", "มีดหั่นขนมปัง", "โคมไฟตั้งโต๊ะ", "ผ้าเช็ดตัว", "จักรยานเด็ก", "นาฬิกาแขวนผนัง", "ชั้นวางหนังสือ", "เสื้อสีแดง", "กาน้ำชา"]),
    ("Japanese", "Shift_JIS", [
        "木製の椅子、白", "丸いテーブル", "パン切り包丁", "デスクランプ", "バスタオル、大きいサイズ", "子供用自転車", "壁掛け時計", "本棚、五段", "赤いセーター", "急須と湯のみ"]),
    ("Japanese", "EUC-JP", [
        "木製の椅子、白", "丸いテーブル", "パン切り包丁", "デスクランプ", "バスタオル、大きいサイズ", "子供用自転車", "壁掛け時計", "本棚、五段", "赤いセーター", "急須と湯のみ"]),
    ("Chinese", "GBK", [
        "木制椅子，白色", "圆形桌子", "切面包的刀", "台灯，绿色", "浴巾，大号", "儿童自行车", "挂钟", "书架，五层", "红色毛衣", "陶瓷茶壶和杯子"]),
    ("Chinese", "Big5", [
        "木製椅子，白色", "圓形桌子", "切麵包的刀", "檯燈，綠色", "浴巾，大號", "兒童自行車", "掛鐘", "書架，五層", "紅色毛衣", "陶瓷茶壺和杯子"]),
    ("Korean", "EUC-KR", [
        "나무 의자, 흰색", "둥근 탁자", "빵 칼", "책상 램프", "목욕 수건, 큰 것", "어린이 자전거", "벽시계", "책장, 다섯 칸", "빨간 스웨터", "도자기 찻주전자"]),
];
